"""What waits for vehicles that only their radio reaches goes out, in its order, and is followed to its end."""

from datetime import timedelta
from typing import Any

import pytest

from radio.link.payloads import Control, Emergency, Status
from radio.models import RadioFrame, RadioNode
from radio.nodes import node_assign
from radio.outbound import (
    frame_acked,
    frame_failed,
    frame_relayed,
    frames_claim,
    frames_expire,
    frames_prune,
    frames_recover,
)
from radio.payloads import payload_of
from radio.rules import HEARD_WITHIN
from radio.wanted import queue_fill, text_queue
from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from tests.integration.radio.air import HELP, Air, later, said
from v2v.alerts.models import Alert, AlertRecipient
from v2v.alerts.services import Origin, Report, alert_ack, alert_raise, alert_resolve
from v2v.fleets.models import Role
from v2v.fleets.policy import actor_of_user
from v2v.messaging.models import Message, MessageRecipient
from v2v.messaging.services import Delivery, message_send, messages_delivered, messages_expire
from v2v.protocol.decode import Refusal
from v2v.protocol.epoch import epoch_ms


def send(air: Air, to: str | None = "truck-1", content: str = "Come home", **more: Any) -> Message:
    given: dict[str, Any] = {
        "actor": air.dispatch,
        "content": content,
        "now": NOW,
        "via": "ws",
        "recipient_id": to,
        **more,
    }
    return message_send(**given).message


def fill(air: Air, seconds: float = 0) -> int:
    return queue_fill(bridge=air.bridge, now=later(seconds))


def claim(air: Air, count: int = 100, *, over: int = 0, seconds: float = 0) -> list[RadioFrame]:
    return frames_claim(bridge=air.bridge, count=count, over=over, now=later(seconds))


def raised(air: Air, number: int = 2, **report: Any) -> Alert:
    truck = air.trucks[number - 1]
    origin = Origin(
        fleet_pk=air.fleet.pk, via=Alert.Via.WS, client_id="a1", vehicle_pk=truck.pk, vehicle_id=truck.vehicle_id
    )
    pk, _ = alert_raise(origin=origin, report=Report(type="crash", message="Two cars", **report), now=NOW)
    return Alert.objects.get(pk=pk)


@pytest.fixture
def node(air: Air) -> RadioNode:
    return air.hello(17, "truck-1")


def test_a_message_goes_out_once_and_is_delivered_when_the_radio_has_acknowledged_it(air: Air, node: RadioNode) -> None:
    message = send(air)
    assert (fill(air), fill(air)) == (1, 0)
    row = MessageRecipient.objects.get(message=message)
    assert (row.status, row.via) == ("queued", "radio")
    (frame,) = claim(air)
    assert (frame.recipient, frame.summary) == (17, "Come home")
    frame_relayed(pk=frame.pk)
    row.refresh_from_db()
    assert (row.status, RadioFrame.objects.get(pk=frame.pk).state) == ("queued", "relayed")
    frame_acked(pk=frame.pk, now=later(4))
    row.refresh_from_db()
    assert (row.status, row.via, row.delivered_at) == ("delivered", "radio", later(4))


def test_a_long_message_is_delivered_once_every_part_is(air: Air, node: RadioNode) -> None:
    message = send(air, content="y" * 512)
    assert fill(air) == 3
    frames = claim(air)
    for frame in frames[:2]:
        frame_acked(pk=frame.pk, now=later(1))
    assert message.recipients.get().status == "queued"
    frame_acked(pk=frames[2].pk, now=later(2))
    assert message.recipients.get().status == "delivered"


def test_a_vehicles_message_names_its_sender(air: Air, node: RadioNode) -> None:
    air.hello(18, "truck-2")
    air.hear(18, said("Wait for me"), recipient=17)
    fill(air)
    assert [frame.summary for frame in claim(air)] == ["truck-2: Wait for me"]


def test_a_radio_that_was_not_heard_lately_gets_its_message_once_it_is(air: Air, node: RadioNode) -> None:
    gone = HEARD_WITHIN.total_seconds() + 1
    send(air)
    assert fill(air, gone) == 0
    air.hear(17, said("Back again"), at=later(gone))
    assert fill(air, gone) == 1


def test_what_came_another_way_meanwhile_is_not_sent(air: Air, node: RadioNode) -> None:
    message = send(air)
    fill(air)
    messages_delivered([Delivery(str(message.message_id), epoch_ms(NOW), air.trucks[0].pk)])
    assert claim(air) == []
    frame = RadioFrame.objects.get(direction="out")
    assert (frame.state, frame.error) == ("withdrawn", "came another way")
    assert message.recipients.get().via == "ws"


def test_what_has_expired_is_not_sent(air: Air, node: RadioNode) -> None:
    message = send(air, ttl_ms=60_000)
    fill(air)
    messages_expire(later(61))
    assert frames_expire(later(61))
    assert RadioFrame.objects.get(direction="out").state == "withdrawn"
    assert message.recipients.get().status == "expired"


def test_an_alert_goes_first_however_long_the_queue_is(air: Air, node: RadioNode) -> None:
    for number in range(30):
        send(air, content=f"Text {number}")
    fill(air)
    raised(air)
    fill(air, 1)
    assert [frame.kind for frame in claim(air, 3, seconds=1)] == ["emergency", "text", "text"]


def test_texts_of_one_radio_keep_their_order(air: Air, node: RadioNode) -> None:
    for number in range(5):
        send(air, content=f"Text {number}")
    fill(air)
    assert [frame.summary for frame in claim(air)] == [f"Text {number}" for number in range(5)]


def test_an_alert_reaches_a_radio_and_counts_as_told_when_it_was_acknowledged(air: Air, node: RadioNode) -> None:
    alert = raised(air)
    assert (fill(air), fill(air)) == (1, 0)
    (frame,) = claim(air)
    payload = payload_of(frame)
    assert isinstance(payload, Emergency)
    assert (payload.type, payload.content) == ("crash", "truck-2: Two cars")
    assert not AlertRecipient.objects.exists()
    frame_acked(pk=frame.pk, now=later(2))
    assert AlertRecipient.objects.get().vehicle == air.trucks[0]
    assert AlertRecipient.objects.get().alert == alert


def test_an_alert_far_away_is_not_sent(air: Air, node: RadioNode) -> None:
    raised(air, lat=0.0, lng=0.0, radius_m=500.0)
    assert fill(air) == 0


def test_an_alert_that_is_over_is_not_sent(air: Air, node: RadioNode) -> None:
    alert = raised(air)
    fill(air)
    alert_resolve(alert=alert, by="dora", disposition="valid", now=later(1))
    assert claim(air) == []


def test_the_sender_by_radio_is_told_who_sees_it_takes_it_and_closes_it(air: Air, node: RadioNode) -> None:
    air.hear(17, HELP, sequence=9)
    alert = Alert.objects.get()
    alert_ack(alert=alert, by="dora", now=later(1))
    alert_resolve(alert=alert, by="dora", disposition="valid", now=later(2))
    assert (fill(air, 3), fill(air, 3)) == (2, 0)
    assert [payload_of(frame) for frame in claim(air, seconds=3)] == [
        Control(sequence=9, status=Status.ACKNOWLEDGED),
        Control(sequence=9, status=Status.RESOLVED),
    ]


def test_a_meshtastic_sender_is_told_in_words(transactional_db: None) -> None:
    air = Air(link="meshtastic")
    air.hello(0x11223344, "truck-1")
    air.hear(0x11223344, HELP)
    alert_ack(alert=Alert.objects.get(), by="dora", now=later(1))
    fill(air, 2)
    assert [frame.summary for frame in claim(air, seconds=2)] == ["A dispatcher has taken your alert."]


def test_what_failed_rests_and_goes_out_when_its_radio_is_heard(air: Air, node: RadioNode) -> None:
    send(air)
    fill(air)
    frame_failed(pk=claim(air)[0].pk, reason="no_answer", now=later(31))
    assert RadioFrame.objects.get(direction="out").state == "failed"
    air.hear(17, said("a"), at=later(40))
    assert claim(air, seconds=40) == []
    air.hear(17, said("b"), at=later(62))
    (frame,) = claim(air, seconds=62)
    assert (frame.summary, frame.rounds) == ("Come home", 1)


def test_what_failed_is_not_tried_past_its_time(air: Air, node: RadioNode) -> None:
    send(air, ttl_ms=20_000)
    fill(air)
    frame_failed(pk=claim(air)[0].pk, reason="no_answer", now=later(19))
    air.hear(17, said("b"), at=later(100))
    assert claim(air, seconds=100) == []


def test_after_a_crash_what_was_on_its_way_goes_out_again(air: Air, node: RadioNode) -> None:
    for _ in range(3):
        send(air)
    fill(air)
    first, second, third = claim(air)
    frame_relayed(pk=second.pk)
    frame_acked(pk=third.pk, now=later(1))
    assert frames_recover(bridge=air.bridge) == 2
    assert [frame.pk for frame in claim(air)] == [first.pk, second.pk]


def test_an_acknowledgement_that_comes_after_all_counts(air: Air, node: RadioNode) -> None:
    message = send(air)
    fill(air)
    (frame,) = claim(air)
    frame_failed(pk=frame.pk, reason="no_answer", now=later(31))
    frame_acked(pk=frame.pk, now=later(32))
    assert message.recipients.get().status == "delivered"


def test_who_may_not_dispatch_sends_nothing(air: Air, node: RadioNode) -> None:
    viewer = actor_of_user(user_make("vera", fleet=air.fleet, role=Role.VIEWER))
    with pytest.raises(Refusal):
        text_queue(node=node, text="Hello", actor=viewer, now=NOW)
    assert len(text_queue(node=node, text="Hello", actor=air.dispatch, now=NOW)) == 1


def test_a_radio_that_is_given_to_another_vehicle_takes_nothing_along(air: Air, node: RadioNode) -> None:
    admin = actor_of_user(user_make("ada", fleet=air.fleet, role=Role.FLEET_ADMIN))
    send(air)
    fill(air)
    node_assign(node=node, vehicle=air.trucks[2], actor=admin)
    assert claim(air) == []
    send(air, "truck-3")
    fill(air)
    assert [frame.recipient for frame in claim(air)] == [17]


def test_only_who_may_edit_both_fleets_assigns(air: Air, node: RadioNode) -> None:
    admin = actor_of_user(user_make("ada", fleet=air.fleet, role=Role.FLEET_ADMIN))
    for actor, vehicle in ((air.dispatch, air.trucks[1]), (admin, vehicle_make(fleet_make("south"), "van-1"))):
        with pytest.raises(Refusal):
            node_assign(node=node, vehicle=vehicle, actor=actor)
    assert RadioNode.objects.get().vehicle == air.trucks[0]


def test_old_frames_go_and_those_that_wait_stay(air: Air, node: RadioNode) -> None:
    send(air, ttl_ms=7 * 24 * 3600 * 1000)
    fill(air)
    assert frames_prune(NOW + timedelta(days=31), keep=timedelta(days=30))
    assert list(RadioFrame.objects.values_list("state", flat=True)) == ["queued"]
