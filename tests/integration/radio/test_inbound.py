"""What is heard is stored once with all that follows, and answered only then."""

from datetime import timedelta

import pytest
from django.db import OperationalError, connection

from radio.link.payloads import Control, Hello, Status, text_parts
from radio.models import RadioFrame, RadioNode
from radio.rules import DUPLICATE_WITHIN
from tests.integration.people import NOW, fleet_make, vehicle_make
from tests.integration.radio.air import HELP, Air, later, said, somewhere
from v2v.alerts.models import Alert
from v2v.messaging.models import Message
from v2v.tracking.models import Position as StoredPosition
from v2v.vehicles.models import Vehicle

NOW_S = int(NOW.timestamp())


def test_a_hello_binds_the_radio_to_its_vehicle(air: Air) -> None:
    node = air.hello(17, "truck-1")
    assert (node.vehicle, node.name, node.heard_at, node.rssi) == (air.trucks[0], "truck-1", NOW, -90)


def test_a_second_radio_that_says_the_same_name_is_only_shown(air: Air) -> None:
    air.hello(17, "truck-1")
    other = air.hello(18, "truck-1")
    assert (other.vehicle, other.name) == (None, "truck-1")


def test_a_hello_never_binds_to_another_fleets_vehicle(air: Air) -> None:
    vehicle_make(fleet_make("south"), "van-1")
    assert air.hello(17, "van-1").vehicle is None


def test_a_bridge_without_a_fleet_binds_nobody(transactional_db: None) -> None:
    assert Air(fleet="").hello(17, "truck-1").vehicle is None


def test_a_position_is_stored_as_the_vehicles_own(air: Air) -> None:
    air.hello(17, "truck-1")
    assert air.hear(17, somewhere(NOW_S), recipient=None) is Status.ACCEPTED
    stored = StoredPosition.objects.get()
    assert (stored.vehicle_id, stored.source, stored.device_id) == (air.trucks[0].pk, "radio", "radio-0011")
    assert stored.recorded_at == NOW


def test_a_radio_without_a_clock_is_where_it_is_now(air: Air) -> None:
    air.hello(17, "truck-1")
    air.hear(17, somewhere(None), recipient=None)
    assert StoredPosition.objects.get().recorded_at == NOW


def test_a_clock_that_is_ahead_is_shown_and_its_position_refused(air: Air) -> None:
    air.hello(17, "truck-1")
    assert air.hear(17, somewhere(NOW_S + 3600)) is Status.REFUSED
    assert not StoredPosition.objects.exists()
    assert RadioNode.objects.get().clock_offset_s == 3600
    assert RadioFrame.objects.get(kind="position").error == "clock_skew"


def test_a_text_becomes_a_message_to_dispatch(air: Air) -> None:
    air.hello(17, "truck-1")
    assert air.hear(17, said("At the gate")) is Status.ACCEPTED
    message = Message.objects.get()
    assert (message.sender_vehicle, message.recipient_vehicle, message.via) == (air.trucks[0], None, "radio")
    assert RadioFrame.objects.get(kind="text").message == message


def test_a_text_to_another_vehicles_radio_goes_to_that_vehicle(air: Air) -> None:
    air.hello(17, "truck-1")
    air.hello(18, "truck-2")
    air.hear(17, said("Follow me"), recipient=18)
    assert Message.objects.get().recipient_vehicle == air.trucks[1]


def test_the_parts_of_a_long_text_are_put_together_in_any_order(air: Air) -> None:
    air.hello(17, "truck-1")
    long = "Ünfall auf der Brücke. " * 20
    parts = text_parts(long, group=7)
    for part in reversed(parts):
        assert not Message.objects.exists()
        assert air.hear(17, part) is Status.ACCEPTED
    assert len(parts) == 3
    assert Message.objects.get().content == long
    assert set(RadioFrame.objects.filter(kind="text").values_list("message", flat=True)) == {Message.objects.get().pk}


def test_an_emergency_is_an_alert_by_radio(air: Air) -> None:
    air.hello(17, "truck-1")
    assert air.hear(17, HELP) is Status.ACCEPTED
    alert = Alert.objects.get()
    assert (alert.sender, alert.via, alert.type, alert.severity, alert.message) == (
        *(air.trucks[0], "radio", "medical", "critical", "Heart"),
    )
    assert RadioFrame.objects.get(kind="emergency").alert == alert


def test_the_same_emergency_again_is_acknowledged_and_raised_once(air: Air) -> None:
    air.hello(17, "truck-1")
    for seconds in (0, 1, 3):
        assert air.hear(17, HELP, sequence=9, at=later(seconds)) is Status.ACCEPTED
    assert Alert.objects.count() == RadioFrame.objects.filter(kind="emergency").count() == 1


def test_the_same_number_after_the_window_is_another_emergency(air: Air) -> None:
    air.hello(17, "truck-1")
    air.hear(17, HELP, sequence=9)
    air.hear(17, HELP, sequence=9, at=NOW + DUPLICATE_WITHIN + timedelta(seconds=1))
    assert Alert.objects.count() == 2


def test_a_radio_that_began_anew_is_heard_though_its_numbers_come_again(air: Air) -> None:
    air.hello(17, "truck-1")
    air.hear(17, said("Off we go"), sequence=1)
    assert air.hear(17, HELP, sequence=1) is Status.ACCEPTED
    assert Alert.objects.count() == 1


def test_a_second_emergency_at_once_is_taken_when_it_is_sent_again(air: Air) -> None:
    air.hello(17, "truck-1")
    air.hear(17, HELP)
    assert air.hear(17, HELP, sequence=90, at=later(2)) is None
    assert RadioFrame.objects.filter(kind="emergency").count() == 1
    assert air.hear(17, HELP, sequence=90, at=later(11)) is Status.ACCEPTED
    assert Alert.objects.count() == 2


def test_an_unknown_radio_in_need_reaches_the_bridges_fleet(air: Air) -> None:
    assert air.hear(0xBEEF, HELP) is Status.ACCEPTED
    assert Alert.objects.get().sender == Vehicle.objects.get(vehicle_id="radio-radio-beef", fleet=air.fleet)


def test_an_emergency_that_no_fleet_has_is_kept_and_refused(transactional_db: None) -> None:
    air = Air(fleet="")
    assert air.hear(0xBEEF, HELP) is Status.REFUSED
    frame = RadioFrame.objects.get()
    assert (frame.state, frame.error, frame.fleet) == ("refused", "not_registered", None)
    air.hear(0xBEEF, HELP, sequence=frame.sequence)
    assert RadioFrame.objects.get().attempts == 2


def test_the_sender_takes_its_emergency_back(air: Air) -> None:
    air.hello(17, "truck-1")
    air.hear(17, HELP, sequence=9)
    air.hear(17, Control(sequence=9, status=Status.CANCELLED))
    assert Alert.objects.get().state == "cancelled"


def test_a_disabled_vehicles_radio_is_refused(air: Air) -> None:
    air.hello(17, "truck-1")
    Vehicle.objects.filter(pk=air.trucks[0].pk).update(disabled_at=NOW)
    assert air.hear(17, said("Hello")) is Status.REFUSED
    assert not Message.objects.exists()


def test_control_characters_are_left_out_and_an_empty_text_is_refused(air: Air) -> None:
    air.hello(17, "truck-1")
    air.hear(17, said("a\x1b[31mb"))
    assert Message.objects.get().content == "a[31mb"
    assert air.hear(17, said(" ")) is Status.REFUSED


def test_nothing_is_answered_or_kept_while_the_database_is_away(air: Air) -> None:
    def away(execute, sql, params, many, context):
        if sql.startswith("INSERT") and "alerts_alert" in sql:
            raise OperationalError("gone")
        return execute(sql, params, many, context)

    air.hello(17, "truck-1")
    with connection.execute_wrapper(away), pytest.raises(OperationalError):
        air.hear(17, HELP, sequence=5)
    assert not RadioFrame.objects.filter(kind="emergency").exists()
    assert air.hear(17, HELP, sequence=5) is Status.ACCEPTED


def test_what_a_later_hello_says_does_not_move_a_radio(air: Air) -> None:
    air.hello(17, "truck-1")
    air.hear(17, Hello(vehicle_id="truck-2"), at=later(5))
    node = RadioNode.objects.get()
    assert (node.vehicle, node.name) == (air.trucks[0], "truck-2")
