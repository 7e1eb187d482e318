"""The replay page and its parts, as HTTP gives them."""

import gzip
import json
import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.integration.alerts.test_alerts_services import origin_of
from tests.integration.people import fleet_make, user_make, vehicle_make
from v2v.alerts import services as alerts
from v2v.alerts.models import Alert
from v2v.alerts.services import Delivery, Report, alert_recipients_store
from v2v.calls.models import CallSession
from v2v.fleets.models import Fleet
from v2v.fleets.policy import actor_of_user
from v2v.geofences.models import Geofence, GeofenceEvent
from v2v.messaging.models import Conversation, Message
from v2v.protocol.epoch import epoch_ms
from v2v.replay.selectors import MAX_SPAN, chunk_of
from v2v.tracking.models import Position, Source
from v2v.vehicles import services as vehicles
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.fixture
def now() -> datetime:
    return timezone.now().replace(microsecond=0)


@pytest.fixture
def fleet() -> Fleet:
    fleet = fleet_make("north")
    fleet.time_zone = "Asia/Dubai"
    fleet.save()
    return fleet


@pytest.fixture
def truck(fleet: Fleet) -> Vehicle:
    return vehicle_make(fleet)


@pytest.fixture
def viewer(client: Client, fleet: Fleet) -> Client:
    client.force_login(user_make("ann", fleet=fleet))
    return client


def drives(vehicle: Vehicle, start: datetime, *, count: int = 5, step_s: float = 5, **more: Any) -> None:
    Position.objects.bulk_create(
        Position(
            vehicle=vehicle,
            fleet_id=vehicle.fleet_id,
            recorded_at=(at := start + timedelta(seconds=step_s * n)),
            received_at=at,
            lat=25.2 + n / 1000,
            lng=55.27,
            cell=1,
            source=Source.SOCKET,
            **more,
        )
        for n in range(count)
    )


def span(start: datetime, end: datetime) -> dict[str, str]:
    return {"from": str(epoch_ms(start)), "to": str(epoch_ms(end))}


def page(client: Client, **query: str) -> str:
    answer = client.get("/replay/", query)
    assert answer.status_code == 200
    return answer.content.decode()


def asked(html: str) -> dict[str, Any]:
    found = re.search(r'id="replay-asked" type="application/json">(.*?)</script>', html)
    assert found, html
    document: dict[str, Any] = json.loads(found[1])
    return document


# ---- The page


def test_without_vehicles_the_page_says_what_to_do(viewer: Client) -> None:
    html = page(viewer)
    assert "See again what happened" in html
    assert "replay-asked" not in html


def test_a_link_names_vehicles_and_a_span(viewer: Client, truck: Vehicle, fleet: Fleet) -> None:
    vehicle_make(fleet, "van-9", driver_name="</script><script>alert(1)</script>")
    html = page(
        viewer, vehicles="van-9,truck-1,van-9", **{"from": "2026-11-24T10:00:00Z", "to": "2026-11-24T11:30:00Z"}
    )
    found = asked(html)
    assert [vehicle["vehicleId"] for vehicle in found["vehicles"]] == ["van-9", "truck-1"]
    assert found["end"] - found["start"] == 90 * 60_000
    assert found["zone"] == "Asia/Dubai"
    assert 'value="2026-11-24T14:00:00"' in html  # by the fleet's clocks
    assert "<script>alert" not in html


def test_a_time_without_a_zone_is_the_fleets(viewer: Client, truck: Vehicle) -> None:
    found = asked(page(viewer, vehicles="truck-1", **{"from": "2026-11-24T14:00", "to": "2026-11-24T15:00"}))
    assert found["start"] == epoch_ms(datetime.fromisoformat("2026-11-24T10:00:00Z"))


@pytest.mark.parametrize(("preset", "least", "most"), [("hour", HOUR, HOUR), ("today", 0 * HOUR, MAX_SPAN)])
def test_presets_end_now(viewer: Client, truck: Vehicle, preset: str, least: timedelta, most: timedelta) -> None:
    found = asked(page(viewer, vehicles="truck-1", span=preset))
    assert abs(found["end"] - epoch_ms(timezone.now())) < 60_000
    assert least <= timedelta(milliseconds=found["end"] - found["start"]) <= most


def test_yesterday_is_a_whole_day_of_the_fleet(viewer: Client, truck: Vehicle) -> None:
    found = asked(page(viewer, vehicles="truck-1", span="yesterday"))
    assert found["end"] - found["start"] == 24 * 3_600_000
    assert found["end"] % 86_400_000 == 20 * 3_600_000  # midnight in Dubai


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        ("2026-11-24T10:00:00Z", "2026-11-24T09:00:00Z", "after the beginning"),
        ("2026-11-20T10:00:00Z", "2026-11-24T09:00:00Z", "a day at most"),
        ("1999-11-20T10:00:00Z", "1999-11-20T11:00:00Z", "in the past"),
        ("2099-11-20T10:00:00Z", "2099-11-20T11:00:00Z", "in the past"),
        ("2026-11-24T10:00:00Z", "", "from when until when"),
        ("<b>", "2026-11-24T10:00:00Z", "valid date/time"),
    ],
)
def test_a_span_that_is_none_is_told_at_the_field(
    viewer: Client, truck: Vehicle, start: str, end: str, said: str
) -> None:
    html = page(viewer, vehicles="truck-1", **{"from": start, "to": end})
    assert said in html
    assert "replay-asked" not in html


def test_more_than_twenty_vehicles_are_told_so_and_twenty_stay_chosen(viewer: Client, fleet: Fleet) -> None:
    names = [vehicle_make(fleet, f"truck-{n}").vehicle_id for n in range(21)]
    html = page(viewer, vehicles=",".join(names))
    assert "Choose 20 vehicles at most; these are 21." in html
    assert re.findall(r'name="vehicles" value="([^"]+)" checked', html) == names[:20]
    assert "replay-asked" not in html


def test_another_fleets_vehicle_is_as_unknown_as_none(viewer: Client, truck: Vehicle) -> None:
    vehicle_make(fleet_make("south"), "spy-1")
    html = page(viewer, vehicles="spy-1,ghost-1,truck-1")
    assert "There is no vehicle <bdi>spy-1, ghost-1</bdi> that you may see" in html
    assert [vehicle["vehicleId"] for vehicle in asked(html)["vehicles"]] == ["truck-1"]


def test_a_vehicle_that_was_deleted_is_replayed_still(viewer: Client, truck: Vehicle, now: datetime) -> None:
    drives(truck, now - HOUR)
    vehicles.vehicle_delete(vehicle=truck, now=now)
    assert asked(page(viewer, vehicles="truck-1"))
    assert len(viewer.get("/replay/track/truck-1/", span(now - HOUR, now)).json()["ts"]) == 5
    assert "truck-1" not in viewer.get("/replay/vehicles/", {"vehicles": "truck"}).content.decode()


def test_the_page_asks_the_database_as_often_for_twenty_vehicles_as_for_one(viewer: Client, fleet: Fleet) -> None:
    names = [vehicle_make(fleet, f"truck-{n}").vehicle_id for n in range(20)]
    counts = []
    for chosen in (names[:1], names):
        with CaptureQueriesContext(connection) as queries:
            page(viewer, vehicles=",".join(chosen))
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_suggestions_are_the_viewers_own_vehicles(viewer: Client, truck: Vehicle) -> None:
    vehicle_make(fleet_make("south"), "truck-9")
    html = viewer.get("/replay/vehicles/", {"vehicles": "RUCK"}).content.decode()
    assert re.findall(r'value="([^"]+)"', html) == ["truck-1"]


# ---- Tracks


def test_a_track_comes_as_columns(viewer: Client, truck: Vehicle, now: datetime) -> None:
    drives(truck, now - HOUR, speed=12.34, heading=90.4)
    drives(truck, now + HOUR)  # beyond the span
    document = viewer.get("/replay/track/truck-1/", span(now - HOUR, now)).json()
    assert document == {
        "start": epoch_ms(now - HOUR),
        "next": None,
        "ts": [0, 5000, 5000, 5000, 5000],
        "lat": [25_200_000, 1000, 1000, 1000, 1000],
        "lng": [55_270_000, 0, 0, 0, 0],
        "speed": [123] * 5,
        "heading": [90] * 5,
    }


def test_who_was_silent_has_empty_columns(viewer: Client, truck: Vehicle, now: datetime) -> None:
    assert viewer.get("/replay/track/truck-1/", span(now - HOUR, now)).json()["ts"] == []


def test_a_long_track_comes_in_chunks_that_join(fleet: Fleet, truck: Vehicle, now: datetime) -> None:
    drives(truck, now - HOUR, count=8)
    actor = actor_of_user(user_make("bob", fleet=fleet))
    found, start, sizes = [], now - HOUR, []
    while start is not None:
        chunk = chunk_of(actor=actor, vehicle_id="truck-1", start=start, end=now, size=3)
        found += [fix.at for fix in chunk.fixes]
        sizes.append(len(chunk.fixes))
        start = chunk.next_start  # type: ignore[assignment]
    assert sizes == [3, 3, 2]
    assert found == [now - HOUR + timedelta(seconds=5 * n) for n in range(8)]


def test_a_track_is_compressed_for_who_takes_that(viewer: Client, truck: Vehicle, now: datetime) -> None:
    drives(truck, now - HOUR, count=300)
    answer = viewer.get("/replay/track/truck-1/", span(now - HOUR, now), headers={"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert len(json.loads(gzip.decompress(answer.content))["ts"]) == 300


def test_another_fleets_track_does_not_exist(viewer: Client, now: datetime) -> None:
    spy = vehicle_make(fleet_make("south"), "spy-1")
    drives(spy, now - HOUR)
    assert viewer.get("/replay/track/spy-1/", span(now - HOUR, now)).status_code == 404


def test_what_a_vehicle_drove_for_another_fleet_before_is_not_shown(
    viewer: Client, truck: Vehicle, fleet: Fleet, now: datetime
) -> None:
    drives(truck, now - HOUR)
    Position.objects.filter(vehicle=truck).update(fleet=fleet_make("south"))
    drives(truck, now - HOUR / 2, count=2)
    assert len(viewer.get("/replay/track/truck-1/", span(now - HOUR, now)).json()["ts"]) == 2


@pytest.mark.parametrize(
    "query",
    [{}, {"from": "x", "to": "1"}, {"from": "2", "to": "1"}, {"from": "0", "to": "90000001"}, {"from": "9" * 30}],
)
@pytest.mark.parametrize("path", ["/replay/track/truck-1/", "/replay/moments/"])
def test_a_span_that_is_none_is_a_problem(viewer: Client, truck: Vehicle, path: str, query: dict[str, str]) -> None:
    answer = viewer.get(path, query)
    assert answer.status_code == 400
    assert answer.json()["code"] == "validation_error"


@pytest.mark.parametrize("path", ["", "track/truck-1/", "moments/", "vehicles/"])
def test_without_a_session_there_is_nothing(client: Client, truck: Vehicle, path: str) -> None:
    assert isinstance(client.get("/login/").wsgi_request.user, AnonymousUser)
    answer = client.get(f"/replay/{path}")
    assert (answer.get("Location") or answer["HX-Redirect"]).startswith("/login/")


# ---- Moments


def raised(vehicle: Vehicle, at: datetime, client_id: str = "1", **report: Any) -> Alert:
    alert_id, _ = alerts.alert_raise(origin=origin_of(vehicle, client_id), report=Report(**report), now=at)
    return Alert.objects.get(pk=alert_id)


def called(vehicle: Vehicle, at: datetime, **more: Any) -> CallSession:
    return CallSession.objects.create(
        fleet_id=vehicle.fleet_id,
        caller_vehicle=vehicle,
        caller_device="d",
        media="audio",
        started_at=at,
        ring_until=at,
        caller_seen_at=at,
        **more,
    )


def wrote(vehicle: Vehicle, at: datetime, content: str, **more: Any) -> Message:
    key = more.pop("key", vehicle.vehicle_id)
    conversation, _ = Conversation.objects.get_or_create(
        fleet_id=vehicle.fleet_id, key=key, defaults={"vehicle": vehicle, "last_at": at}
    )
    return Message.objects.create(
        conversation=conversation,
        fleet_id=vehicle.fleet_id,
        sender_vehicle=vehicle,
        sender_key=f"v{vehicle.pk}",
        client_id=content,
        content=content,
        via="ws",
        sent_at=at,
        stored_at=at,
        expires_at=at + HOUR,
        **more,
    )


def moments(client: Client, names: str, start: datetime, end: datetime) -> list[dict[str, Any]]:
    document: dict[str, Any] = client.get("/replay/moments/", {"vehicles": names, **span(start, end)}).json()
    assert document["more"] == []
    found: list[dict[str, Any]] = document["moments"]
    return found


def test_alerts_calls_and_messages_come_in_their_order(viewer: Client, truck: Vehicle, now: datetime) -> None:
    called(truck, now - 3 * HOUR / 4, state="ended", answered_at=now - HOUR / 2, ended_at=now - HOUR / 2 + HOUR / 30)
    alert = raised(truck, now - HOUR / 2, type="crash", severity="critical", message="Two cars", lat=25.2, lng=55.3)
    wrote(truck, now - HOUR / 4, "On my way")
    called(truck, now - HOUR / 8, state="missed", end_reason="timeout", ended_at=now)
    found = moments(viewer, "truck-1", now - HOUR, now)
    assert [(one["kind"], one["words"]) for one in found] == [
        ("call", "truck-1 called dispatch: answered, 2 min 0 s"),
        ("alert", "Crash, critical: Two cars"),
        ("message", "truck-1 to dispatch: On my way"),
        ("call", "truck-1 called dispatch: missed"),
    ]
    assert found[1] == {
        "kind": "alert",
        "ts": epoch_ms(now - HOUR / 2),
        "vehicleId": "truck-1",
        "words": "Crash, critical: Two cars",
        "link": f"/alerts/{alert.pk}/",
        "place": [25.2, 55.3],
        "tone": "critical",
    }
    for one in found:
        assert viewer.get(one["link"]).status_code == 200


def test_what_goes_to_everybody_is_everybodys_moment(viewer: Client, truck: Vehicle, now: datetime) -> None:
    wrote(truck, now - HOUR / 2, "Road closed", is_broadcast=True, key="all")
    vehicle_make(truck.fleet, "van-9")
    (found,) = moments(viewer, "van-9", now - HOUR, now)
    assert (found["vehicleId"], found["words"]) == ("", "truck-1 to everybody: Road closed")


def entered(vehicle: Vehicle, at: datetime, **more: Any) -> Geofence:
    geofence = Geofence.objects.create(
        fleet_id=vehicle.fleet_id,
        name="Port",
        kind=Geofence.Kind.CIRCLE,
        geometry={"type": "Point", "coordinates": [55.3, 25.2]},
        radius_m=500,
    )
    GeofenceEvent.objects.create(
        fleet_id=vehicle.fleet_id, geofence=geofence, vehicle=vehicle, type="enter", occurred_at=at, **more
    )
    return geofence


def test_a_border_that_was_crossed_is_a_moment(viewer: Client, truck: Vehicle, now: datetime) -> None:
    geofence = entered(truck, now - HOUR / 2, lat=25.2, lng=55.3, severity="high")
    (found,) = moments(viewer, "truck-1", now - HOUR, now)
    assert (found["kind"], found["words"], found["place"], found["tone"]) == (
        *("geofence", "Entered: Port", [25.2, 55.3], "high"),
    )
    assert found["link"] == f"/geofences/?geofence={geofence.pk}"


def test_another_fleets_moments_are_not_shown(viewer: Client, truck: Vehicle, now: datetime) -> None:
    spy = vehicle_make(fleet_make("south"), "spy-1")
    raised(spy, now - HOUR / 2)
    entered(spy, now - HOUR / 2)
    called(spy, now - HOUR / 2, state="missed", ended_at=now)
    wrote(spy, now - HOUR / 2, "Secret")
    wrote(spy, now - HOUR / 2, "Secret to all", is_broadcast=True, key="all")
    assert moments(viewer, "spy-1,truck-1", now - HOUR, now) == []
    assert moments(viewer, "spy-1", now - HOUR, now) == []


def test_what_lies_outside_of_the_span_is_left_out(viewer: Client, truck: Vehicle, now: datetime) -> None:
    raised(truck, now - 2 * HOUR, "1")
    raised(truck, now, "2")
    assert moments(viewer, "truck-1", now - HOUR, now) == []


def test_moments_ask_the_database_as_often_for_many_as_for_one(viewer: Client, truck: Vehicle, now: datetime) -> None:
    counts = []
    for n in (1, 12):
        for index in range(n):
            at = now - HOUR / 2 + timedelta(seconds=n + index)
            raised(truck, at, f"{n}-{index}")
            called(truck, at, state="missed", ended_at=now)
            entered(truck, at)
            wrote(truck, at, f"{n}-{index}")
        with CaptureQueriesContext(connection) as queries:
            moments(viewer, "truck-1", now - HOUR, now)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_more_than_five_hundred_of_a_kind_are_cut_and_told(viewer: Client, truck: Vehicle, now: datetime) -> None:
    for n in range(501):
        called(truck, now - HOUR + timedelta(seconds=n), state="missed", ended_at=now)
    document = viewer.get("/replay/moments/", {"vehicles": "truck-1", **span(now - HOUR, now)}).json()
    assert (len(document["moments"]), document["more"]) == (500, ["call"])


# ---- Round an alert


def test_an_alert_leads_to_the_minutes_round_it_with_who_was_told(
    viewer: Client, truck: Vehicle, now: datetime
) -> None:
    alert = raised(truck, now - HOUR, lat=25.2, lng=55.3, radius_m=500)
    vehicle_make(truck.fleet, "van-9")
    alert_recipients_store([Delivery(str(alert.pk), ("van-9",), now)])
    answer = viewer.get(f"/replay/alert/{alert.pk}/")
    assert answer["Location"].endswith(f"#at={epoch_ms(alert.detected_at)}")
    found = asked(viewer.get(answer["Location"]).content.decode())
    assert [vehicle["vehicleId"] for vehicle in found["vehicles"]] == ["truck-1", "van-9"]
    assert found["start"] == epoch_ms(alert.detected_at - timedelta(minutes=10))
    assert found["end"] == epoch_ms(alert.detected_at + timedelta(minutes=5))


def test_another_fleets_alert_leads_nowhere(viewer: Client, now: datetime) -> None:
    alert = raised(vehicle_make(fleet_make("south"), "spy-1"), now)
    assert viewer.get(f"/replay/alert/{alert.pk}/").status_code == 404
