"""A Meshtastic radio: literal bytes of its stream, and a small radio that answers as one does."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radio.link import meshtastic_wire as wire
from radio.link.meshtastic import HANDSHAKE_S, HEARTBEAT_S, RESULT_S, TAKEN_S, MeshtasticLink
from radio.link.payloads import BadPayload, Control, Emergency, Hello, Position, Status, Text, text_parts
from radio.link.traffic import (
    Acked,
    Failed,
    HeardAgain,
    LinkLost,
    NodeNamed,
    Outgoing,
    Priority,
    Received,
    Relayed,
    Sent,
    State,
    StateChanged,
)

OWN, TRUCK, OTHER = 0x10, 0x433A2B1C, 0x99


class Radio:
    """Reads what the link writes, and writes what a radio would."""

    def __init__(self, link):
        self.link = link
        self.now = 0.0
        self.packets = []
        self.written = b""

    def tell(self, **fields):
        message = wire.FromRadio(**fields)
        data = message.SerializeToString()
        self.link.receive(b"\x94\xc3" + len(data).to_bytes(2) + data, self.now)

    def pull(self):
        """What the link writes now."""
        messages = []
        while data := self.link.transmit(self.now):
            self.written += data
            data = data.removeprefix(wire.WAKE)
            assert data[:2] == b"\x94\xc3"
            assert int.from_bytes(data[2:4]) == len(data) - 4
            messages.append(wire.ToRadio.FromString(data[4:]))
            if messages[-1].HasField("packet"):
                self.packets.append(messages[-1].packet)
                break
        return messages

    def start(self):
        self.link.opened(self.now)
        (hello,) = self.pull()
        self.tell(my_info={"my_node_num": OWN})
        self.tell(config_complete_id=hello.want_config_id)
        self.link.take_events()
        return self

    def hear(self, sender=TRUCK, to=OWN, portnum=wire.Port.TEXT, payload=b"hello", packet_id=5, **fields):
        decoded = {"portnum": portnum, "payload": payload, "request_id": fields.pop("request_id", 0)}
        self.tell(packet={"sender": sender, "to": to, "id": packet_id, "decoded": decoded, **fields})
        return self.link.take_events()

    def take(self, res=0):
        """Queue the packet that was handed over last."""
        self.tell(queue_status={"res": res, "free": 10, "maxlen": 16, "mesh_packet_id": self.packets[-1].id})

    def result(self, sender, error=0):
        payload = wire.Routing(error_reason=error).SerializeToString()
        return self.hear(sender, portnum=wire.Port.ROUTING, payload=payload, request_id=self.packets[-1].id)


@pytest.fixture
def radio():
    return Radio(MeshtasticLink()).start()


def text(key=1, recipient=TRUCK, content="Come home", priority=Priority.DEFAULT):
    return Outgoing(
        key=key, payload=Text(content=content), recipient=recipient, priority=priority, wants_ack=recipient is not None
    )


def test_the_link_is_up_once_the_radio_has_told_all_it_knows():
    radio = Radio(MeshtasticLink())
    radio.link.opened(0)
    radio.pull()
    assert radio.written == b"\xc3" * 32 + bytes.fromhex("94c3 0002 1801")  # want_config_id = 1
    radio.link.receive(bytes.fromhex("94c3 0004 1a02 0810"), 0)  # my_info.my_node_num = 16
    radio.tell(
        node_info={"num": TRUCK, "user": {"long_name": "Truck 7"}, "device_metrics": {"battery_level": 101}},
    )
    assert radio.link.take_events() == [NodeNamed(node=TRUCK, name="Truck 7", battery=100)]
    radio.link.receive(bytes.fromhex("94c3 0002 3801"), 0)  # config_complete_id = 1
    assert radio.link.take_events() == [StateChanged(state=State.UP)]
    assert radio.link.address == OWN


def test_a_radio_that_does_not_answer_is_asked_three_times_and_then_lost():
    radio = Radio(MeshtasticLink())
    radio.link.opened(0)
    for _ in range(3):
        assert len(radio.pull()) == 1
        assert radio.pull() == []
        radio.now += HANDSHAKE_S
    with pytest.raises(LinkLost):
        radio.pull()


def test_a_text_goes_out_in_the_bytes_of_the_protocol(radio):
    radio.written = b""
    radio.link.offer(text(content="hi", priority=Priority.RELIABLE))
    radio.pull()
    assert radio.written == bytes.fromhex(
        "94c3 001a"
        "0a18"  # packet
        "15 1c2b3a43"  # to
        "22 06 0801 1202 6869"  # decoded: port 1, "hi"
        "35 01000000"  # id
        "4803"  # hop_limit
        "5001"  # want_ack
        "5846"  # priority 70
    )
    assert radio.link.take_events() == [Sent(key=1, sequence=1, attempt=1)]


def test_a_packet_goes_as_far_as_the_radio_is_set_to(radio):
    radio.link.receive(bytes.fromhex("94c3 0006 2a04 3202 4005"), 0)  # config.lora.hop_limit = 5
    radio.link.receive(bytes.fromhex("94c3 0004 2a02 0a00"), 0)  # another part of the configuration
    radio.link.offer(text())
    radio.pull()
    assert radio.packets[0].hop_limit == 5


def test_passed_on_is_not_delivered_and_delivered_is_acked(radio):
    radio.link.offer(text())
    radio.pull()
    radio.take()
    radio.link.take_events()
    assert radio.result(OWN) == [Relayed(key=1)]
    assert radio.result(TRUCK) == [Acked(key=1)]
    assert radio.result(TRUCK) == []


def test_to_everybody_passed_on_is_the_end(radio):
    radio.link.offer(Outgoing(key=1, payload=Text(content="All"), wants_ack=True))
    radio.pull()
    radio.take()
    radio.link.take_events()
    assert radio.result(OWN) == [Relayed(key=1)]
    radio.now += RESULT_S + 1
    radio.pull()
    assert radio.link.take_events() == []


@pytest.mark.parametrize(("error", "reason"), [(5, "no_answer"), (7, "too_large"), (77, "radio_refused")])
def test_what_the_radio_gave_up_has_failed_for_its_reason(radio, error, reason):
    radio.link.offer(text())
    radio.pull()
    radio.take()
    radio.link.take_events()
    assert radio.result(OWN, error=error) == [Failed(key=1, reason=reason)]


def test_without_any_result_it_has_failed_in_the_end_and_the_node_is_told_when_heard(radio):
    radio.link.offer(text())
    radio.pull()
    radio.take()
    radio.now += RESULT_S
    radio.pull()
    assert radio.link.take_events()[-1] == Failed(key=1, reason="no_answer")
    assert [type(event) for event in radio.hear()] == [HeardAgain, Received]
    assert [type(event) for event in radio.hear(packet_id=6)] == [Received]


def test_the_radio_gets_one_packet_at_a_time_and_alerts_first(radio):
    for key, priority in enumerate([Priority.DEFAULT, Priority.DEFAULT, Priority.ALERT]):
        radio.link.offer(text(key=key, priority=priority))
    for _ in range(3):
        radio.pull()
        assert radio.pull() == []
        radio.take()
    told = [event.key for event in radio.link.take_events() if isinstance(event, Sent)]
    assert told == [2, 0, 1]


def test_a_radio_that_does_not_say_that_it_has_taken_a_packet_gets_the_next_later(radio):
    for key in range(2):
        radio.link.offer(text(key=key))
    radio.pull()
    assert radio.pull() == []
    radio.now += TAKEN_S
    assert len(radio.pull()) == 1


def test_a_full_radio_says_so(radio):
    radio.link.offer(text())
    radio.pull()
    radio.link.take_events()
    radio.take(res=9)
    assert radio.link.take_events() == [Failed(key=1, reason="duty_cycle_limit")]


def test_what_the_radio_had_goes_out_again_with_its_number_when_it_was_unplugged_or_started_anew(radio):
    radio.link.offer(text())
    radio.pull()
    radio.tell(rebooted=True)
    hello = radio.pull()[0]
    radio.tell(config_complete_id=hello.want_config_id)
    radio.pull()
    assert radio.packets[0] == radio.packets[1]
    told = radio.link.take_events()
    assert [event.state for event in told if isinstance(event, StateChanged)] == [State.AWAY, State.UP]


def test_a_silent_link_shows_the_radio_that_somebody_is_there(radio):
    assert radio.pull() == []
    radio.now += HEARTBEAT_S
    (beat,) = radio.pull()
    assert beat.HasField("heartbeat")
    assert radio.written.endswith(bytes.fromhex("94c3 0002 3a00"))


def test_a_position_comes_in_with_signal_and_hops(radio):
    payload = bytes.fromhex("0d 0037050f 15 401cf620 25 803bb16a 78 0d 8001 a846")
    (event,) = radio.hear(
        to=wire.BROADCAST,
        portnum=wire.Port.POSITION,
        payload=payload,
        rx_rssi=-97,
        rx_snr=-4.5,
        hop_start=3,
        hop_limit=1,
    )
    assert event.payload == Position(lat=25.2, lng=55.3, speed=13, heading=90, at=1_790_000_000)
    assert (event.recipient, event.rssi, event.snr, event.hops) == (None, -97, -4.5, 2)
    assert not event.wants_ack


def test_a_radio_without_a_fix_or_with_a_broken_one_has_no_position(radio):
    assert radio.hear(portnum=wire.Port.POSITION, payload=b"") == []
    broken = wire.Position(latitude_i=2_000_000_000, longitude_i=1).SerializeToString()
    assert radio.hear(packet_id=6, portnum=wire.Port.POSITION, payload=broken) == []
    assert radio.hear(packet_id=7, portnum=wire.Port.POSITION, payload=b"\x0d\x01") == []
    assert radio.link.counts["payload_range"] + radio.link.counts["payload_type"] == 3


@pytest.mark.parametrize(
    ("words", "emergency"),
    [
        ("SOS", Emergency()),
        ("sos we are stuck", Emergency(content="we are stuck")),
        ("Mayday! Fire", Emergency(content="Fire")),
        ("EMERGENCY medical high: driver faints", Emergency(type="medical", severity="high", content="driver faints")),
        ("EMERGENCY crash 25.20000,55.30000", Emergency(type="crash", lat=25.2, lng=55.3)),
        ("EMERGENCY DRILL hazard low", Emergency(type="hazard", severity="low", drill=True)),
        ("EMERGENCY 99.0,200.0", Emergency()),
        ("\x07SOS\x07", Emergency()),
    ],
)
def test_a_text_that_says_so_is_an_emergency(radio, words, emergency):
    (event,) = radio.hear(payload=words.encode())
    assert event.payload == emergency


@pytest.mark.parametrize("words", ["SOSSO", "All quiet, no emergency", "hello"])
def test_other_texts_are_texts(radio, words):
    (event,) = radio.hear(payload=words.encode())
    assert event.payload == Text(content=words, group=5)


def test_an_alert_is_an_emergency_whatever_it_says_and_where_its_sender_was_last(radio):
    position = wire.Position(latitude_i=252_000_000, longitude_i=553_000_000).SerializeToString()
    radio.hear(portnum=wire.Port.POSITION, payload=position)
    (event,) = radio.hear(packet_id=6, portnum=wire.Port.ALERT, payload=b"help")
    assert event.payload == Emergency(lat=25.2, lng=55.3, content="help")


@given(st.sampled_from(["", "SOS: "]), st.text("abcä漢\n \x07", min_size=1, max_size=233))
def test_a_text_of_any_length_comes_whole(marker, words):
    radio = Radio(MeshtasticLink()).start()
    told = radio.hear(payload=(marker + words).encode())
    assert "".join(event.payload.content for event in told).strip() == words.replace("\x07", "").strip()
    assert len({event.check for event in told}) == len(told)


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (text_parts("x" * 300, 1)[1], "(2/2) " + "x" * 103),
        (
            Emergency(type="crash", lat=25.2, lng=55.3, content="on its side", drill=True),
            "EMERGENCY DRILL crash critical 25.20000,55.30000: on its side",
        ),
        (Control(sequence=1 << 31, status=Status.ACKNOWLEDGED), "A dispatcher has taken your emergency."),
    ],
)
def test_all_but_positions_go_out_in_words(radio, payload, words):
    radio.link.offer(Outgoing(key=1, payload=payload, recipient=TRUCK, wants_ack=True))
    radio.pull()
    assert radio.packets[0].decoded.payload.decode() == words


def test_an_emergency_that_went_out_in_words_is_read_back(radio):
    emergency = Emergency(type="security", severity="medium", lat=-33.5, lng=151.25, content="Two men. Help!")
    radio.link.offer(Outgoing(key=1, payload=emergency, recipient=TRUCK))
    radio.pull()
    radio.link.take_events()
    (event,) = radio.hear(payload=radio.packets[0].decoded.payload)
    assert event.payload == emergency


def test_a_position_goes_out_and_is_read_back(radio):
    position = Position(lat=-0.5, lng=179.9999999, speed=20, heading=359, at=1_790_000_000)
    radio.link.offer(Outgoing(key=1, payload=position))
    radio.pull()
    radio.link.take_events()
    (event,) = radio.hear(portnum=wire.Port.POSITION, payload=radio.packets[0].decoded.payload)
    assert event.payload == position


def test_a_hello_is_not_for_such_a_radio(radio):
    with pytest.raises(BadPayload):
        radio.link.offer(Outgoing(key=1, payload=Hello(vehicle_id="truck-7")))


def test_repeats_own_echoes_and_other_applications_are_dropped(radio):
    assert len(radio.hear()) == 1
    assert radio.hear() == []
    assert radio.hear(sender=OWN, packet_id=6) == []
    assert radio.hear(packet_id=7, portnum=67) == []
    radio.tell(packet={"sender": TRUCK, "to": OWN, "id": 8, "encrypted": b"\x01"})
    assert radio.link.take_events() == []
    assert radio.link.counts["encrypted"] == 1


@given(st.binary(max_size=600))
def test_the_stream_is_in_step_behind_a_log_line_and_behind_any_bytes(noise):
    counts: Counter[str] = Counter()
    decoder = wire.StreamDecoder(counts)
    data = wire.FromRadio(config_complete_id=7).SerializeToString()
    whole = b"\x94\xc3" + len(data).to_bytes(2) + data
    seen = list(decoder.feed(noise))
    for _ in range(130):  # a false start may claim up to 512 bytes
        seen += decoder.feed(whole)
    assert seen[-1].config_complete_id == 7
    assert len(decoder._buffer) <= 516


def test_log_lines_between_messages_are_skipped(radio):
    radio.link.receive(b"INFO | 12:00 boot\r\n\x94", 0)
    radio.link.receive(b"\xc3\x00\x04\x1a\x02\x08\x11DEBUG\r\n", 0)
    assert radio.link.address == 0x11
