"""A vehicle reports over HTTP: what it is answered, and what is stored."""

import json
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.integration.reports.asking import WITHIN_S, ask, bearer, history
from tests.servers.v2v import V2VServer


def now_ms() -> int:
    return int(time.time() * 1000)


def report(server: V2VServer, token: str, body: Any) -> Any:
    answer = ask(server, "POST", "/api/v1/locations", body, **bearer(token))
    assert answer.status == 202, answer.text
    return answer.json


def test_a_position_is_taken_and_found_again_in_the_history(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    ts = now_ms()
    taken = report(server, token, {"lat": 25.1, "lng": 55.2, "ts": ts, "speed": 4, "heading": 360, "battery": 80})
    assert [result["outcome"] for result in taken["results"]] == ["live"]
    (stored,) = history(server, vehicle_id, token, count=1)
    assert stored.pop("receivedTs") >= ts
    assert stored == {
        "vehicleId": vehicle_id,
        "fleet": "alpha",
        "ts": ts,
        "lat": 25.1,
        "lng": 55.2,
        "speed": 4,
        "heading": 0,
        "battery": 80,
        "source": "http",
    }


def test_the_correlation_id_is_in_the_log_line_of_the_stored_batch(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    correlation_id = report(server, token, {"lat": 25.1, "lng": 55.2})["correlationId"]
    history(server, vehicle_id, token, count=1)
    deadline = time.monotonic() + WITHIN_S
    while not (lines := [line for line in server.log().splitlines() if correlation_id in line]):
        assert time.monotonic() < deadline, "no log line names the correlation id"
        time.sleep(0.1)
    assert "correlation_ids" in json.loads(lines[0])


def test_a_tracker_that_was_offline_sends_a_thousand_at_once(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    start = now_ms() - 3_600_000
    batch = [{"lat": 25 + n / 10_000, "lng": 55.3, "ts": start + n * 1000} for n in range(1000)]
    taken = report(server, token, batch)
    assert {result["outcome"] for result in taken["results"]} == {"old"}
    stored = history(server, vehicle_id, token, count=1000)
    assert [position["ts"] for position in stored] == [position["ts"] for position in batch]


def test_of_a_batch_what_is_wrong_is_refused_and_the_rest_is_taken(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    ts = now_ms()
    batch = [
        {"lat": 25.1, "lng": 55.2, "ts": ts - 2000},
        {"lat": 95.1, "lng": 55.2, "ts": ts - 1000},
        {"lat": 25.1, "lng": 55.2, "ts": ts + 3_600_000},
        {"lat": 25.1, "lng": 55.2, "ts": ts - 2000},
        {"lat": 25.1, "lng": 55.2, "ts": ts},
    ]
    results = report(server, token, batch)["results"]
    assert [(result["outcome"], result.get("code"), result.get("field")) for result in results] == [
        ("live", None, None),
        ("refused", "invalid_location", "lat"),
        ("refused", "clock_skew", "ts"),
        ("duplicate", None, None),
        ("live", None, None),
    ]
    history(server, vehicle_id, token, count=2)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"lat": 91, "lng": 2}, "invalid_location"),
        ({"lat": 1, "lng": 2, "ts": 4_000_000_000_000}, "clock_skew"),
        ([], "validation_error"),
        ([{"lat": 1, "lng": 2}] * 1001, "validation_error"),
        ("[1", "validation_error"),
        ("", "validation_error"),
        ("[" * 1_100_000, "validation_error"),
    ],
    ids=["out of range", "future", "none", "too many", "broken", "empty", "too large"],
)
def test_what_cannot_be_taken_is_a_problem(server: V2VServer, body: Any, code: str) -> None:
    _, token = server.vehicle()
    for _ in ("Django takes the first of a token", "and the way round it the next"):
        answer = ask(server, "POST", "/api/v1/locations", body, Content_Type="application/json", **bearer(token))
        assert answer.status == (413 if len(body) > 1_000_000 else 400)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json["code"] == code
        report(server, token, {"lat": 25.1, "lng": 55.2})


def test_only_a_vehicle_reports_and_only_for_itself(server: V2VServer) -> None:
    position = {"lat": 25.1, "lng": 55.2}
    assert ask(server, "POST", "/api/v1/locations", position).status == 401
    assert ask(server, "POST", "/api/v1/locations", position, **bearer("v2v_guess")).status == 401
    _, token = server.vehicle()
    answer = ask(server, "POST", "/api/v1/locations", {**position, "vehicleId": "alpha-00001"}, **bearer(token))
    assert (answer.status, answer.json["details"]["field"]) == (400, "vehicleId")


def test_the_first_report_of_a_token_and_the_next_are_answered_alike(server: V2VServer) -> None:
    _, token = server.vehicle()
    batch = [{"lat": 25.1, "lng": 55.2, "ts": now_ms() - 60_000}, {"lat": 95, "lng": 55.2}]
    first, second = (report(server, token, batch) for _ in range(2))
    assert [result["outcome"] for result in first["results"]] == ["live", "refused"]
    assert [result["outcome"] for result in second["results"]] == ["duplicate", "refused"]
    assert first["results"][1] == second["results"][1]
    assert first["correlationId"] != second["correlationId"]


def test_reports_are_limited_like_other_requests(start_server: Callable[..., V2VServer]) -> None:
    server = start_server(API_REQUESTS_PER_MINUTE="5")
    (_, token), (_, other) = server.vehicle(), server.vehicle()
    for _ in range(5):
        report(server, token, {"lat": 25.1, "lng": 55.2})
    answer = ask(server, "POST", "/api/v1/locations", {"lat": 25.1, "lng": 55.2}, **bearer(token))
    assert (answer.status, answer.json["code"]) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) >= 1
    report(server, other, {"lat": 25.1, "lng": 55.2})


def test_a_token_that_is_revoked_is_good_for_nothing_from_then_on(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    for n in range(3):
        report(server, token, {"lat": 25.1 + n / 1000, "lng": 55.2})
    cookie = server.login("alpha_fleet_admin")
    (device,) = ask(server, "GET", f"/api/v1/devices?vehicleId={vehicle_id}", Cookie=cookie).json["results"]
    csrf = "x" * 32
    headers = {"Cookie": f"{cookie}; csrftoken={csrf}", "X_CSRFToken": csrf}
    assert ask(server, "POST", f"/api/v1/devices/{device['id']}/revoke", **headers).status == 200
    assert ask(server, "POST", "/api/v1/locations", {"lat": 25.1, "lng": 55.2}, **bearer(token)).status == 401
