"""Apps of others report to a real server, with requests as they send them."""

import json
import time
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.integration.reports.asking import Answer, ask, basic, bearer, history
from tests.servers.v2v import V2VServer

# Or whoever registers in another test would hear of it.
CANCEL = """
from django.utils import timezone
from v2v.alerts.models import Alert
from v2v.alerts.services import alert_cancel
alert_cancel(alert=Alert.objects.get(pk="{}"), by="{}", now=timezone.now())
"""
FORM = {"Content_Type": "application/x-www-form-urlencoded"}


def seconds_now() -> int:
    return int(time.time())


def traccar_9(vehicle_id: str, seconds: int) -> dict[str, Any]:
    time_text = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(seconds))
    coords = {"latitude": 25.1, "longitude": 55.2, "accuracy": 3.8, "speed": 10, "heading": 63, "altitude": 35.7}
    location = {
        "timestamp": time_text,
        "coords": coords,
        "is_moving": True,
        "odometer": 1042.5,
        "event": "motionchange",
        "battery": {"level": 0.79, "is_charging": False},
        "activity": {"type": "in_vehicle"},
        "extras": {},
        "_": f"&id={vehicle_id}&lat=25.1&lon=55.2&timestamp={time_text}&",
    }
    return {"location": location, "device_id": vehicle_id}


def assert_taken(answer: Answer, *outcomes: str) -> None:
    assert answer.status == 200, answer.text
    assert [result["outcome"] for result in answer.json["results"]] == list(outcomes)


def test_traccar_client_9_with_its_token_in_the_address(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    seconds = seconds_now()
    answer = ask(server, "POST", f"/ingest/osmand?token={token}", traccar_9(vehicle_id, seconds))
    assert_taken(answer, "live")
    (stored,) = history(server, vehicle_id, token, count=1)
    assert (stored["ts"], stored["speed"], stored["battery"], stored["source"]) == (seconds * 1000, 10, 79, "osmand")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_traccar_client_8_and_osmand_with_everything_in_the_address(server: V2VServer, method: str) -> None:
    vehicle_id, token = server.vehicle()
    fields = {"token": token, "id": vehicle_id, "timestamp": seconds_now(), "lat": 25.1, "lon": 55.2, "speed": 19.438}
    assert_taken(ask(server, method, f"/ingest/osmand/?{urlencode(fields)}"), "live")
    (stored,) = history(server, vehicle_id, token, count=1)
    assert stored["speed"] == pytest.approx(10, abs=0.001)


def test_traccar_client_10_with_a_form_and_with_a_list(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    seconds = seconds_now()
    fields = {"id": vehicle_id, "lat": "25.1", "lon": "55.2", "timestamp": seconds - 9, "batt": "50", "charge": "true"}
    address = f"/ingest/osmand/?token={token}"
    assert_taken(ask(server, "POST", address, urlencode(fields), **FORM), "live")
    kept = [{**fields, "timestamp": seconds - 5 + n} for n in range(3)]
    assert_taken(ask(server, "POST", address, kept), "live", "live", "live")
    history(server, vehicle_id, token, count=4)


def test_a_tracker_may_send_its_token_in_the_form_or_a_header(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    fields = {"deviceid": vehicle_id, "lat": "25.1", "lon": "55.2"}
    for sent in ({"body": urlencode({**fields, "token": token})}, {"body": urlencode(fields), **bearer(token)}):
        assert ask(server, "POST", "/ingest/osmand", **sent, **FORM).status == 200
    assert ask(server, "POST", "/ingest/osmand", urlencode(fields), **FORM, **basic("", token)).status == 200


def test_owntracks_with_its_token_as_the_password(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    seconds = seconds_now()
    message = {
        "_type": "location",
        "BSSID": "c0:c9:e3:00:00:00",
        "acc": 14,
        "alt": 154,
        "batt": 93,
        "bs": 1,
        "cog": 17,
        "conn": "w",
        "created_at": seconds,
        "lat": 25.1,
        "lon": 55.2,
        "m": 1,
        "t": "u",
        "tid": "t1",
        "topic": "owntracks/http/t1",
        "tst": seconds,
        "vac": 1,
        "vel": 36,
    }
    headers = {
        **basic(vehicle_id, token),
        "X_Limit_U": vehicle_id,
        "X_Limit_D": "pixel",
        "Content_Type": "application/json; charset=utf-8",
        "User_Agent": "Owntracks-Android/gms/420503005",
    }
    answer = ask(server, "POST", "/ingest/owntracks", message, **headers)
    assert (answer.status, answer.json) == (200, [])
    (stored,) = history(server, vehicle_id, token, count=1)
    assert (stored["speed"], stored["heading"], stored["source"]) == (pytest.approx(10), 17, "owntracks")


@pytest.mark.parametrize("body", ["", json.dumps({"_type": "transition", "event": "enter", "desc": "Home"})])
def test_what_else_owntracks_sends_is_answered_and_passed_over(server: V2VServer, body: str) -> None:
    vehicle_id, token = server.vehicle()
    headers = {**basic(vehicle_id, token), "Content_Type": "application/json"}
    answer = ask(server, "POST", "/ingest/owntracks", body, **headers)
    assert (answer.status, answer.json) == (200, [])


def test_a_position_that_can_never_be_taken_does_not_keep_an_app_from_going_on(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    for wrong in ({"lat": "95", "lon": "55.2"}, {"lat": "25", "lon": "55", "timestamp": seconds_now() + 3600}):
        fields = urlencode({"token": token, "id": vehicle_id, **wrong})
        assert_taken(ask(server, "GET", f"/ingest/osmand?{fields}"), "refused")
    message = {"_type": "location", "lat": 95, "lon": 55, "tst": seconds_now()}
    assert ask(server, "POST", "/ingest/owntracks", message, **basic(vehicle_id, token)).json == []
    refused = [line for line in server.log().splitlines() if "position refused" in line and vehicle_id in line]
    assert len(refused) == 3


def test_a_call_for_help_is_an_alert_once_however_often_it_is_sent(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    body = traccar_9(vehicle_id, seconds_now())
    body["location"]["extras"] = {"alarm": "sos"}
    address = f"/ingest/osmand?token={token}"
    for _ in range(2):
        assert ask(server, "POST", address, body).status == 200
    fields = {"id": vehicle_id, "lat": "25.2", "lon": "55.2", "timestamp": seconds_now() + 5, "alarm": "sos"}
    assert_taken(ask(server, "POST", address, urlencode(fields), **FORM), "live")
    cookie = server.login("alpha_viewer")
    (alert,) = ask(server, "GET", f"/api/v1/emergencies?vehicleId={vehicle_id}", Cookie=cookie).json["results"]
    assert (alert["type"], alert["severity"], alert["lat"], alert["via"]) == ("other", "critical", 25.1, "api")
    server.shell(CANCEL.format(alert["alertId"], vehicle_id))


def test_an_app_that_is_set_up_with_another_vehicle_is_told(server: V2VServer) -> None:
    (vehicle_id, token), (other_id, _) = server.vehicle(), server.vehicle()
    fields = urlencode({"token": token, "id": other_id, "lat": 25, "lon": 55})
    answer = ask(server, "GET", f"/ingest/osmand?{fields}")
    assert (answer.status, answer.json["code"]) == (403, "forbidden")
    message = {"_type": "location", "lat": 25, "lon": 55, "tst": seconds_now()}
    assert ask(server, "POST", "/ingest/owntracks", message, **basic(other_id, token)).status == 403
    assert ask(server, "POST", "/ingest/owntracks", message, **basic(vehicle_id, "v2v_guess")).status == 401
    assert ask(server, "POST", "/ingest/owntracks", message).status == 401
    assert ask(server, "GET", "/ingest/osmand?lat=1&lon=2&id=x").status == 401
    assert ask(server, "GET", "/ingest/elsewhere").json["code"] == "not_found"


def test_what_is_no_report_is_a_problem(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    for path in ("osmand", "owntracks"):
        for body in ([1, 2], "[", {"_type": "encrypted", "data": "x"} if path == "owntracks" else [[]]):
            headers = {**basic(vehicle_id, token), "Content_Type": "application/json"}
            answer = ask(server, "POST", f"/ingest/{path}", body, **headers)
            assert (answer.status, answer.json["code"]) == (400, "validation_error"), (path, body, answer.text)


def test_a_token_in_an_address_does_not_come_into_the_log(server: V2VServer) -> None:
    (_, token), (other_id, _) = server.vehicle(), server.vehicle()
    fields = urlencode({"token": token, "id": other_id, "lat": 25, "lon": 55})
    assert ask(server, "GET", f"/ingest/osmand?{fields}").status == 403
    lines = [line for line in server.log().splitlines() if f"id={other_id}" in line]
    assert lines
    assert token not in server.log()
