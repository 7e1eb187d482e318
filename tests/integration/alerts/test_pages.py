"""The pages of alerts, as HTTP gives them."""

import csv
import re
from datetime import datetime, timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import pytest
from django.test import Client

from tests.integration.alerts.test_alerts_services import origin_of
from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from v2v.alerts import services
from v2v.alerts.models import Alert, AlertEvent
from v2v.alerts.services import Delivery, Report, alert_recipients_store
from v2v.fleets.models import Fleet, Membership, Role
from v2v.vehicles.models import Vehicle

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume")]
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def fleet() -> Fleet:
    fleet = fleet_make("north")
    fleet.time_zone = "Asia/Dubai"
    fleet.save()
    return fleet


@pytest.fixture
def truck(fleet: Fleet) -> Vehicle:
    return vehicle_make(fleet, "truck-1", driver_name="Amina Noor", plate="DXB 123")


@pytest.fixture
def viewer(client: Client, fleet: Fleet) -> Client:
    client.force_login(user_make("ann", fleet=fleet))
    return client


def raised(vehicle: Vehicle, client_id: str = "1", *, at: datetime = NOW, **report: Any) -> Alert:
    alert_id, _ = services.alert_raise(origin=origin_of(vehicle, client_id), report=Report(**report), now=at)
    return Alert.objects.get(pk=alert_id)


def taken(alert: Alert, after_s: float, by: str = "ann") -> Alert:
    return services.alert_ack(alert=alert, by=by, now=alert.stored_at + timedelta(seconds=after_s))


def found(client: Client, **query: Any) -> list[str]:
    """The ids of the rows."""
    answer = client.get("/alerts/", query)
    assert answer.status_code == 200
    return re.findall(r'<tr data-alert-id="([^"]+)"', answer.content.decode())


def sheet(client: Client, address: str, **query: Any) -> list[list[str]]:
    answer = client.get(address, query)
    assert answer["Content-Type"].startswith("text/csv")
    return list(csv.reader(StringIO(b"".join(answer).decode())))


# ---- The history


def test_the_history_is_found_by_each_filter(viewer: Client, fleet: Fleet, truck: Vehicle) -> None:
    other = vehicle_make(fleet, "van-9")
    crash = raised(truck, type="crash", severity="high", message="Two cars", at=NOW - timedelta(days=2))
    drill = raised(other, drill=True, severity="low", at=NOW - timedelta(days=1))
    noted = raised(other, "2", type="medical")
    services.alert_note(alert=noted, by="bea", note="Ambulance is there", now=NOW)
    services.alert_ack(alert=crash, by="omar", now=NOW)
    services.alert_assign(alert=drill, by="omar", assignee="Patrol 5", now=NOW)
    services.alert_resolve(alert=drill, by="omar", disposition="valid", now=NOW)
    one, two, three = (str(alert.pk) for alert in (crash, drill, noted))
    assert found(viewer) == [three, two, one]
    for query, expected in (
        ({"q": "TRUCK"}, [one]),
        ({"q": "amina"}, [one]),
        ({"q": "dxb 12"}, [one]),
        ({"q": "two ca"}, [one]),
        ({"q": "ambulance"}, [three]),
        ({"q": "patrol"}, [two]),
        ({"q": "omar"}, [two, one]),
        ({"q": "%"}, []),
        ({"state": "active"}, [three, one]),
        ({"state": "over"}, [two]),
        ({"state": "acknowledged"}, [one]),
        ({"severity": "high"}, [one]),
        ({"type": "medical"}, [three]),
        ({"via": "radio"}, []),
        ({"drill": "yes"}, [two]),
        ({"drill": "no"}, [three, one]),
        ({"fleet": "north"}, [three, two, one]),
        ({"since": "2026-11-24", "until": "2026-11-24"}, [two]),
    ):
        assert found(viewer, **query) == expected, query


def test_days_are_those_of_the_fleets_zone(viewer: Client, truck: Vehicle) -> None:
    late = raised(truck, at=datetime.fromisoformat("2026-11-24T21:30:00Z"))  # 01:30 on the 25th in Dubai
    assert found(viewer, since="2026-11-25") == [str(late.pk)]
    assert found(viewer, until="2026-11-24") == []
    page = viewer.get("/alerts/").content.decode()
    assert "25 Nov 2026" in page
    assert "01:30:00" in page
    assert "Asia/Dubai" in page


@pytest.mark.parametrize(
    "query", [{"state": "gone"}, {"q": "x" * 99}, {"q": "\x00"}, {"since": "0001-01-01"}, {"until": "soon"},
              {"sort": "id"}, {"after": "no uuid"}, {"before": "\x00"}, {"fleet": "south"}]
)  # fmt: skip
def test_what_is_not_valid_counts_as_not_given(viewer: Client, truck: Vehicle, query: dict[str, str]) -> None:
    alert = raised(truck)
    fleet_make("south")
    assert found(viewer, **query) == [str(alert.pk)]


def test_a_wrong_day_is_said_at_its_field(viewer: Client) -> None:
    page = viewer.get("/alerts/", {"since": "2026-13-45"}).content.decode()
    assert re.search(r'name="since"[^>]*aria-invalid="true"', page)
    assert "Enter a valid date" in page


@pytest.mark.parametrize("sort", ["-raised", "raised", "-severity", "severity", "-answer", "answer"])
def test_pages_forward_and_back_hold_every_alert_once_in_each_order(
    viewer: Client, fleet: Fleet, truck: Vehicle, sort: str
) -> None:
    severities = Alert.Severity.values
    for number in range(120):
        alert = raised(truck, str(number), severity=severities[number % 4], at=NOW - timedelta(seconds=number // 2))
        if number % 3:
            taken(alert, after_s=number % 7)
    parts, query = [], {"sort": sort}
    while True:
        page = viewer.get("/alerts/", query).content.decode()
        parts.append(re.findall(r'<tr data-alert-id="([^"]+)"', page))
        after = re.findall(r'rel="next" href="[^"]*after=([\w-]+)', page)
        if not after:
            break
        query = {"sort": sort, "after": after[0]}
    assert [len(part) for part in parts] == [50, 50, 20]
    whole = [pk for part in parts for pk in part]
    assert len(set(whole)) == 120
    before = re.findall(r'rel="prev" href="[^"]*before=([\w-]+)', page)[0]
    assert found(viewer, sort=sort, before=before) == parts[1]
    ranks = {str(alert.pk): _place(alert, sort) for alert in Alert.objects.all()}
    assert [ranks[pk] for pk in whole] == sorted(ranks.values(), reverse=sort.startswith("-"))


def _place(alert: Alert, sort: str) -> float:
    match sort.removeprefix("-"):
        case "raised":
            return alert.stored_at.timestamp()
        case "severity":
            return -Alert.Severity.values.index(alert.severity)
        case _:
            never = -1.0 if sort.startswith("-") else 1e9
            return never if alert.answer_time is None else alert.answer_time.total_seconds()


def test_a_page_goes_on_where_it_was_when_its_last_alert_no_longer_matches(viewer: Client, truck: Vehicle) -> None:
    alerts = [raised(truck, str(number), at=NOW - timedelta(seconds=number)) for number in range(3)]
    taken(alerts[1], 1)
    assert found(viewer, state="open", after=str(alerts[1].pk)) == [str(alerts[2].pk)]


def test_the_history_and_its_sheet_hold_only_the_fleets_of_their_viewer(viewer: Client, truck: Vehicle) -> None:
    ours, theirs = raised(truck), raised(vehicle_make(fleet_make("south"), "theirs-1"))
    assert found(viewer) == [str(ours.pk)]
    assert found(viewer, q="theirs") == []
    assert [row[0] for row in sheet(viewer, "/alerts/history.csv")[1:]] == [str(ours.pk)]
    assert viewer.get(f"/alerts/{theirs.pk}/").status_code == 404
    figures = viewer.get("/alerts/answer-times/", {"fleet": "south"}).content.decode()
    assert "South" not in figures


def test_the_sheet_holds_what_the_filter_finds_and_runs_no_formula(viewer: Client, truck: Vehicle) -> None:
    alert = taken(raised(truck, message='=HYPERLINK("http://evil")', severity="high", lat=-1.5, lng=2.0), 83)
    services.alert_note(alert=alert, by="ann", note="@SUM(A1)", now=NOW)
    raised(truck, "2", severity="low")
    header, row = sheet(viewer, "/alerts/history.csv", severity="high")
    line = dict(zip(header, row, strict=True))
    assert line["message"] == '\'=HYPERLINK("http://evil")'
    assert (line["answer s"], line["taken by"], line["notes"]) == ("83.0", "ann", "ann: @SUM(A1)")
    assert (line["lat"], line["stored at"]) == ("-1.5", "2026-11-25T16:00:00+04:00")


def test_the_sheet_has_all_parts(viewer: Client, truck: Vehicle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("v2v.alerts.history._EXPORTED_AT_ONCE", 2)
    for number in range(5):
        raised(truck, str(number))
    assert len({row[0] for row in sheet(viewer, "/alerts/history.csv")[1:]}) == 5


def test_an_empty_history_says_so_and_an_empty_search_too(viewer: Client) -> None:
    assert "No alerts yet" in viewer.get("/alerts/").content.decode()
    assert "No alert matches" in viewer.get("/alerts/", {"q": "nothing"}).content.decode()


# ---- One alert


def test_the_page_of_an_alert_holds_its_whole_story(viewer: Client, fleet: Fleet, truck: Vehicle) -> None:
    others = [vehicle_make(fleet, f"other-{number:03}") for number in range(30)]
    alert = raised(truck, type="crash", message="Two cars", lat=25.2, lng=55.27, radius_m=500.0)
    told = tuple(vehicle.vehicle_id for vehicle in others)
    alert_recipients_store([Delivery(str(alert.pk), told, NOW + timedelta(seconds=2))])
    services.alert_display(alert=alert, by="omar", now=NOW + timedelta(seconds=5))
    taken(alert, 83, by="omar")
    services.alert_note(alert=alert, by="bea", note="Ambulance is there", now=NOW + timedelta(seconds=90))
    services.alert_resolve(alert=alert, by="omar", disposition="false", note="Car wash", now=NOW + timedelta(hours=2))
    page = viewer.get(f"/alerts/{alert.pk}/").content.decode()
    kinds = re.findall(r'class="timeline-entry" data-kind="(\w+)"', page)
    assert kinds == ["raised", "displayed", "acknowledged", "noted", "resolved"]
    for words in ("1 min 23 s", "Ambulance is there", "Car wash", "False alarm", "within 500 m", "16:00:00"):
        assert words in page
    assert 'data-lat="25.2000000" data-lng="55.2700000" data-radius-m="500.0"' in page
    assert re.findall(r"<strong>(other-\d+)</strong>", page) == list(told[:20])
    second = viewer.get(f"/alerts/{alert.pk}/", {"page": "2"}).content.decode()
    assert re.findall(r"<strong>(other-\d+)</strong>", second) == list(told[20:])


def test_an_old_position_is_said_to_be_old(viewer: Client, truck: Vehicle) -> None:
    raised_at = datetime.fromisoformat("2025-01-01T00:00:00Z")
    alert = raised(truck, lat=25.2, lng=55.27, fix_at=raised_at, at=raised_at)
    assert "more than 10 minutes old" in viewer.get(f"/alerts/{alert.pk}/").content.decode()


def test_an_alert_without_a_place_says_so(viewer: Client, truck: Vehicle) -> None:
    alert = raised(truck)
    page = viewer.get(f"/alerts/{alert.pk}/").content.decode()
    assert "had no position" in page
    assert "leaflet" not in page


def test_a_dispatcher_is_led_to_work_it_and_a_viewer_to_look(client: Client, fleet: Fleet, truck: Vehicle) -> None:
    alert = raised(truck)
    for role, words in ((Role.DISPATCHER, "Work it in the console"), (Role.VIEWER, "Show in the console")):
        client.force_login(user_make(role, fleet=fleet, role=role))
        page = client.get(f"/alerts/{alert.pk}/").content.decode()
        assert words in page
        assert f"/?tab=alerts&amp;alert={alert.pk}" in page


def test_a_hostile_text_is_escaped_on_every_page(viewer: Client, fleet: Fleet) -> None:
    truck = vehicle_make(fleet, "truck-x", driver_name=HOSTILE, plate=HOSTILE)
    alert = raised(truck, message=HOSTILE)
    services.alert_assign(alert=alert, by=HOSTILE, assignee=HOSTILE, now=NOW)
    services.alert_note(alert=alert, by=HOSTILE, note=HOSTILE, now=NOW)
    query = urlencode({"q": HOSTILE})
    for address in (f"/alerts/?{query}", f"/alerts/{alert.pk}/", f"/alerts/answer-times/?{query}"):
        assert HOSTILE not in viewer.get(address).content.decode()


# ---- Answer times


def _now_is(monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setattr("django.utils.timezone.now", lambda: now)


def test_answer_times_by_week_and_type_stand_beside_the_period_before(
    viewer: Client, truck: Vehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    _now_is(monkeypatch, NOW)
    past: list[tuple[int, int, dict[str, Any]]] = [
        (1, 30, {"type": "crash"}),
        (1, 70, {"type": "crash"}),
        (9, 20, {"type": "medical"}),
        (2, 200, {"type": "medical"}),
        (40, 300, {}),  # the period before
        (3, 5, {"drill": True}),
    ]
    for number, (days_ago, after_s, report) in enumerate(past):
        taken(raised(truck, str(number), at=NOW - timedelta(days=days_ago), **report), after_s)
    raised(truck, "waits", at=NOW - timedelta(seconds=90), type="hazard")
    rows = sheet(viewer, "/alerts/answer-times.csv")
    groups = {(row[0], row[1]): row[2:] for row in rows[1:]}
    # within 64 s: two of five, one of which waits for 90 s; within 106 s: three of the four that are decided
    assert groups["all", "30 days"] == ["5", "4", "0.4", "0.75", "50.0", "200.0"]
    assert groups["week", "2026-11-23"][:3] == ["4", "3", "0.25"]
    assert groups["week", "2026-11-16"][:3] == ["1", "1", "1.0"]
    assert groups["week", "2026-11-09"] == ["0", "0", "", "", "", ""]
    assert groups["type", "Crash"] == ["2", "2", "0.5", "1.0", "50.0", "70.0"]
    assert groups["drills", "30 days"][:3] == ["1", "1", "1.0"]
    page = viewer.get("/alerts/answer-times/").content.decode()
    assert re.findall(r'figure-value">([\d.]+ %)<', page) == ["40 %", "75 %"]
    assert "+40 points" in page
    assert "1 drill, 1 answered" in page


def test_the_period_can_be_chosen(viewer: Client, truck: Vehicle, monkeypatch: pytest.MonkeyPatch) -> None:
    _now_is(monkeypatch, NOW)
    taken(raised(truck, at=NOW - timedelta(days=60)), 10)
    for days, count in (("7", "0"), ("30", "0"), ("90", "1"), ("365", "1"), ("nonsense", "0")):
        rows = sheet(viewer, "/alerts/answer-times.csv", days=days)
        assert rows[1][2] == count, days
    assert "No alerts in this period" in viewer.get("/alerts/answer-times/", {"days": "7"}).content.decode()


def test_one_fleet_of_several_can_be_chosen(
    client: Client, fleet: Fleet, truck: Vehicle, monkeypatch: pytest.MonkeyPatch
) -> None:
    _now_is(monkeypatch, NOW)
    south = fleet_make("south")
    user = user_make("both", fleet=fleet)
    Membership.objects.create(user=user, fleet=south, role=Role.VIEWER)
    client.force_login(user)
    taken(raised(truck), 10)
    taken(raised(vehicle_make(south, "van-1")), 100)
    assert sheet(client, "/alerts/answer-times.csv", fleet="south")[1][2:5] == ["1", "1", "0.0"]
    assert sheet(client, "/alerts/answer-times.csv")[1][2:5] == ["2", "2", "0.5"]
    assert len(found(client, fleet="south")) == 1
    assert len(found(client)) == 2


# ---- All of them


def test_the_pages_need_a_session_and_come_back_after_it(client: Client) -> None:
    for address in ("/alerts/", "/alerts/answer-times/", "/alerts/history.csv"):
        assert client.get(address)["Location"] == f"/login/?next={address}"
        assert client.get(address, headers={"HX-Request": "true"})["HX-Redirect"] == "/login/"
        assert client.post(address).status_code == 405


def test_who_is_in_no_fleet_sees_nothing(client: Client, truck: Vehicle) -> None:
    raised(truck)
    client.force_login(user_make("stranger"))
    assert found(client) == []
    assert client.get("/alerts/answer-times/").status_code == 200


def test_the_pages_have_no_inline_script_or_style_and_are_kept_by_no_cache(viewer: Client, truck: Vehicle) -> None:
    alert = taken(raised(truck, lat=1.0, lng=2.0), 3)
    for address in ("/alerts/", f"/alerts/{alert.pk}/", "/alerts/answer-times/?days=365"):
        answer = viewer.get(address)
        page = answer.content.decode()
        assert re.findall(r"<script(?![^>]*src=)", page) == []
        assert " style=" not in page
        assert "no-store" in answer["Cache-Control"]


def test_a_long_history_costs_few_queries(
    viewer: Client, fleet: Fleet, truck: Vehicle, django_assert_max_num_queries: Any
) -> None:
    for number in range(30):
        raised(truck, str(number))
    with django_assert_max_num_queries(8):
        viewer.get("/alerts/", {"q": "truck", "since": "2026-11-25"})
    assert AlertEvent.objects.count() == 30
    with django_assert_max_num_queries(10):
        viewer.get(f"/alerts/{Alert.objects.first().pk}/")  # type: ignore[union-attr]
