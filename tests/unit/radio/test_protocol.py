"""One station, or two that hear each other, on a clock that the tests turn."""

import itertools
from dataclasses import replace
from random import Random

import pytest

from radio.link.frames import Frame, FrameDecoder, frame_encode
from radio.link.payloads import BadPayload, Control, Emergency, FrameType, Hello, Position, Status, Text, payload_encode
from radio.link.protocol import ALERT_ROOM, MAX_ITEMS, Link
from radio.link.traffic import (
    Acked,
    Failed,
    Full,
    HeardAgain,
    Outgoing,
    Priority,
    Received,
    Sent,
    State,
    StateChanged,
)

BRIDGE, TRUCK = 1, 7


def station(address=BRIDGE, **arguments):
    link = Link(address=address, random=Random(1), **{"air_bits_per_s": 1_000_000_000, **arguments})
    link.opened(0)
    link.take_events()
    return link


def text(key=1, recipient=TRUCK, content="Come home", priority=Priority.DEFAULT, sequence=None):
    return Outgoing(
        key=key,
        payload=Text(content=content),
        recipient=recipient,
        priority=priority,
        wants_ack=recipient is not None,
        sequence=sequence,
    )


def frames(data):
    return FrameDecoder().feed(data)


def all_of(link, now):
    data = b""
    while more := link.transmit(now):
        data += more
    return data


def events(link, kind):
    return [event for event in link.take_events() if isinstance(event, kind)]


def test_a_text_is_acknowledged_by_its_recipient_once_that_has_stored_it():
    bridge, truck = station(BRIDGE), station(TRUCK)
    bridge.offer(text(key=5))
    truck.receive(all_of(bridge, 1), 1)
    (received,) = events(truck, Received)
    assert (received.payload, received.sender, received.wants_ack) == (Text(content="Come home"), BRIDGE, True)
    assert all_of(truck, 1) == b""

    truck.acknowledge(received, Status.ACCEPTED, 1.5)
    bridge.receive(all_of(truck, 1.5), 1.5)
    assert events(bridge, Acked) == [Acked(key=5)]
    assert all_of(bridge, 100) == b""


def test_without_an_answer_it_is_sent_at_1_3_7_and_15_seconds_and_given_up_at_23():
    bridge = station()
    bridge.offer(text())
    sent, now = [], 0.0
    while now < 60:
        if bridge.transmit(now):
            sent.append(now)
        now += 0.01
    assert len(sent) == 5
    gaps = [after - before for before, after in itertools.pairwise(sent)]
    assert all(0.75 * due <= gap <= 1.25 * due + 0.02 for due, gap in zip([1, 2, 4, 8], gaps, strict=True))
    told = bridge.take_events()
    assert [event.attempt for event in told if isinstance(event, Sent)] == [1, 2, 3, 4, 5]
    assert told[-1] == Failed(key=1, reason="no_answer")
    assert len({event.sequence for event in told if isinstance(event, Sent)}) == 1
    assert bridge.transmit(1_000) == b""


def test_a_frame_to_everybody_is_sent_once():
    bridge = station()
    bridge.offer(text(recipient=None))
    assert len(frames(all_of(bridge, 0))) == 1
    assert all_of(bridge, 100) == b""


def test_a_repeat_is_answered_again_and_told_once():
    bridge, truck = station(BRIDGE), station(TRUCK)
    bridge.offer(text())
    line = all_of(bridge, 0)
    truck.receive(line, 0)
    (received,) = events(truck, Received)
    truck.acknowledge(received, Status.ACCEPTED, 0)
    for now in (1, 2, 599):
        truck.receive(line, now)
    assert events(truck, Received) == []
    answers = frames(all_of(truck, 600))
    assert len(answers) == 4
    assert all(answer.payload == payload_encode(Control(sequence=received.sequence)) for answer in answers)
    truck.receive(line, 601)
    assert len(events(truck, Received)) == 1


def test_what_could_not_be_stored_comes_again_with_the_repeat():
    truck = station(TRUCK)
    line = frame_encode(Frame(type=FrameType.TEXT, sequence=3, sender=1, recipient=TRUCK, payload=b"\0\0\1hello"))
    truck.receive(line, 0)
    truck.receive(line, 1)
    first, second = events(truck, Received)
    assert first == second
    assert all_of(truck, 1) == b""


def test_a_node_that_counts_from_the_beginning_again_is_heard():
    bridge = station()
    for content in (b"\0\0\1before", b"\0\0\1after"):
        bridge.receive(frame_encode(Frame(type=FrameType.TEXT, sequence=0, sender=TRUCK, payload=content)), 0)
    assert [event.payload.content for event in events(bridge, Received)] == ["before", "after"]


def test_an_emergency_to_everybody_is_answered_by_dispatch_alone():
    line = frame_encode(
        Frame(type=FrameType.EMERGENCY, sequence=3, sender=TRUCK, payload=payload_encode(Emergency(type="crash")))
    )
    for wants_ack in (True, False):
        link = station(answers_emergencies=wants_ack)
        link.receive(line, 0)
        (received,) = events(link, Received)
        assert received.wants_ack is wants_ack
        link.acknowledge(received, Status.ACCEPTED, 0)
        assert bool(all_of(link, 0)) is wants_ack


def test_anybody_may_answer_what_went_to_everybody_but_only_its_recipient_what_went_to_one():
    bridge, truck, other = station(BRIDGE), station(TRUCK), station(9, answers_emergencies=True)
    truck.offer(Outgoing(key=1, payload=Emergency(), priority=Priority.ALERT, wants_ack=True))
    truck.offer(text(key=2, recipient=BRIDGE))
    line = all_of(truck, 0)
    for link in (bridge, other):
        link.receive(line, 0)
    emergency, overheard = events(other, Received)
    assert not overheard.wants_ack
    other.acknowledge(emergency, Status.ACCEPTED, 0)
    truck.receive(all_of(other, 0), 0)
    forged = Control(sequence=overheard.sequence)
    truck.receive(
        frame_encode(
            Frame(type=FrameType.CONTROL, sequence=1, sender=9, recipient=TRUCK, payload=payload_encode(forged))
        ),
        0,
    )
    assert events(truck, Acked) == [Acked(key=1)]
    assert truck.counts["answers_unasked"] == 1


def test_the_recipient_may_refuse():
    bridge, truck = station(BRIDGE), station(TRUCK)
    bridge.offer(text())
    truck.receive(all_of(bridge, 0), 0)
    (received,) = events(truck, Received)
    truck.acknowledge(received, Status.REFUSED, 0)
    bridge.receive(all_of(truck, 0), 0)
    assert events(bridge, Failed) == [Failed(key=1, reason="refused")]


def test_how_an_emergency_stands_is_told_and_answered_like_a_text():
    bridge, truck = station(BRIDGE), station(TRUCK)
    news = Control(sequence=40, status=Status.ACKNOWLEDGED)
    bridge.offer(Outgoing(key=1, payload=news, recipient=TRUCK, wants_ack=True))
    truck.receive(all_of(bridge, 0), 0)
    (received,) = events(truck, Received)
    assert (received.payload, received.wants_ack) == (news, True)


def test_what_matters_more_goes_first_and_answers_before_all():
    bridge = station(answers_emergencies=True)
    for key, priority in enumerate([10, 64, 110, 70, 64]):
        bridge.offer(text(key=key, content=str(key), priority=priority))
    emergency = frame_encode(
        Frame(type=FrameType.EMERGENCY, sequence=1, sender=TRUCK, payload=payload_encode(Emergency()))
    )
    bridge.receive(emergency, 0)
    (received,) = events(bridge, Received)
    bridge.acknowledge(received, Status.ACCEPTED, 0)
    sent = frames(all_of(bridge, 0))
    assert [frame.type for frame in sent] == [FrameType.CONTROL] + [FrameType.TEXT] * 5
    assert [frame.payload[3:] for frame in sent[1:]] == [b"2", b"3", b"1", b"4", b"0"]


def test_the_modem_gets_no_more_than_the_air_takes():
    bridge = station(air_bits_per_s=1_200)
    for key in range(200):
        bridge.offer(text(key=key, recipient=None))
    sent = 0
    for tick in range(1_000):
        sent += len(bridge.transmit(tick / 100))
        assert sent * 8 <= 1_200 * (tick / 100 + 0.1) + 26 * 8
    assert sent * 8 >= 1_200 * 9.9


def test_a_full_link_says_so_and_keeps_room_for_alerts():
    bridge = station()
    for key in range(MAX_ITEMS):
        bridge.offer(text(key=key))
    with pytest.raises(Full):
        bridge.offer(text())
    for key in range(ALERT_ROOM):
        bridge.offer(text(key=key, priority=Priority.ALERT))
    with pytest.raises(Full):
        bridge.offer(text(priority=Priority.ALERT))


def test_room_comes_back_with_each_item_that_is_done():
    bridge = station()
    for key in range(MAX_ITEMS):
        bridge.offer(text(key=key, recipient=None))
    all_of(bridge, 0)
    bridge.offer(text())


def test_while_the_modem_is_away_no_attempt_is_lost():
    bridge = station()
    bridge.offer(text())
    assert bridge.transmit(0)
    bridge.closed(0.5, "unplugged")
    bridge.opened(500)
    assert bridge.transmit(500)
    assert [event.attempt for event in events(bridge, Sent)] == [1, 1]


def test_an_answer_that_comes_late_is_good_after_an_unplugging_and_after_a_restart():
    bridge, truck = station(BRIDGE), station(TRUCK)
    bridge.offer(text())
    truck.receive(all_of(bridge, 0), 0)
    (received,) = events(truck, Received)
    truck.acknowledge(received, Status.ACCEPTED, 0)
    answer = all_of(truck, 0)
    bridge.closed(1, "unplugged")
    bridge.opened(2)
    restarted = station()
    restarted.offer(text(sequence=received.sequence))
    for link in (bridge, restarted):
        link.receive(answer, 2)
        assert events(link, Acked) == [Acked(key=1)]
        assert all_of(link, 100) == b""


def test_a_repeat_in_another_version_is_a_repeat():
    bridge = station()
    frame = Frame(type=FrameType.TEXT, sequence=0, sender=TRUCK, payload=b"\0\0\1hello")
    bridge.receive(frame_encode(frame) + frame_encode(replace(frame, version=2)), 0)
    assert len(events(bridge, Received)) == 1


def test_coming_and_going_is_told():
    bridge = station()
    bridge.closed(1, "unplugged")
    assert bridge.take_events() == [StateChanged(state=State.AWAY, reason="unplugged")]


def test_a_number_given_is_kept_and_not_given_twice():
    bridge = station(first_sequence=65_535)
    bridge.offer(text(key=1, sequence=0))
    bridge.offer(text(key=2))
    bridge.offer(text(key=3))
    all_of(bridge, 0)
    assert [(event.key, event.sequence) for event in events(bridge, Sent)] == [(1, 0), (2, 65_535), (3, 1)]


def test_who_was_given_up_and_is_heard_again_is_told_once():
    bridge = station()
    bridge.offer(text())
    for now in range(60):
        bridge.transmit(now)
    assert isinstance(bridge.take_events()[-1], Failed)
    hello = Frame(type=FrameType.HELLO, sequence=1, sender=TRUCK, payload=payload_encode(Hello(vehicle_id="truck-7")))
    for sequence in (1, 2):
        bridge.receive(frame_encode(Frame(type=hello.type, sequence=sequence, sender=TRUCK, payload=hello.payload)), 61)
    assert events(bridge, HeardAgain) == [HeardAgain(node=TRUCK)]


def test_who_speaks_version_2_is_answered_in_it():
    bridge = station()
    assert frames_of(bridge, 0)[0].version == 1
    hello = payload_encode(Hello(vehicle_id="truck-7"))
    bridge.receive(frame_encode(Frame(type=FrameType.HELLO, sequence=1, sender=TRUCK, payload=hello, version=2)), 0)
    assert frames_of(bridge, 0)[0].version == 2


def frames_of(link, now):
    link.offer(text())
    return frames(all_of(link, now))


def test_ones_own_echo_and_what_cannot_be_are_counted_and_dropped():
    bridge = station()
    payload = payload_encode(Position(lat=1, lng=2))
    bridge.receive(frame_encode(Frame(type=FrameType.POSITION, sequence=1, sender=BRIDGE, payload=payload)), 0)
    bridge.receive(frame_encode(Frame(type=FrameType.POSITION, sequence=1, sender=TRUCK, payload=payload[:-1])), 0)
    assert bridge.take_events() == []
    assert (bridge.counts["own"], bridge.counts["payload_length"]) == (1, 1)


def test_what_does_not_fit_is_refused_when_it_is_offered():
    with pytest.raises(BadPayload):
        station().offer(text(content="x" * 198))
    with pytest.raises(BadPayload):
        station().offer(text(recipient=0x1_0000))
