"""Every error is a problem document with a code of the contract."""

import json
from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.db.utils import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path

from tests.integration.api.conftest import ApiClient, ClientOf, World, problem_of
from tests.integration.people import token_for
from v2v.api.parsers import MAX_BODY_BYTES


def admin_client(*, enforce_csrf_checks: bool = False) -> Client:
    client = Client(raise_request_exception=False, enforce_csrf_checks=enforce_csrf_checks)
    client.force_login(User.objects.get(username="fleet_admin@north"))
    return client


def test_nobody_gets_nothing(world: World) -> None:
    response = ApiClient()("GET", "vehicles")
    problem_of(response, 401, "auth_failed")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["v2v_wrong", "a.b.c", "é", "x" * 5000, "two words"])
def test_a_wrong_token_gets_nothing(world: World, token: str) -> None:
    client = Client(raise_request_exception=False)
    response = client.get("/api/v1/presence", headers={"Authorization": f"Bearer {token}"})
    problem_of(response, 401, "auth_failed")


def test_a_wrong_token_is_not_helped_by_a_session(world: World, client_of: ClientOf) -> None:
    client = client_of("root")
    client._headers = {"Authorization": "Bearer v2v_wrong"}
    problem_of(client("GET", "vehicles"), 401, "auth_failed")


def test_a_session_needs_its_csrf_token_to_write(world: World) -> None:
    client = admin_client(enforce_csrf_checks=True)
    body = {"vehicleId": "truck-9", "fleet": "north"}
    problem_of(client.post("/api/v1/vehicles", body, "application/json"), 403, "forbidden")
    client.get("/")  # a page of the console, which sets the cookie
    headers = {"X-CSRFToken": client.cookies["csrftoken"].value}
    assert client.post("/api/v1/vehicles", body, "application/json", headers=headers).status_code == 201


def test_a_token_needs_no_csrf_token(world: World) -> None:
    client = Client(enforce_csrf_checks=True)
    headers = {"Authorization": f"Bearer {token_for(world.truck_1)}"}
    response = client.post("/api/v1/devices", {}, "application/json", headers=headers)
    assert "CSRF" not in problem_of(response, 403, "forbidden")["detail"]


@pytest.mark.parametrize(
    "where", ["/api/v1/nothing", "/api/", "/api/v2/vehicles", "/api/v1/vehicles/", "/api/v1/vehicles/a b"]
)
def test_an_address_where_nothing_is_has_a_problem_too(world: World, where: str) -> None:
    problem_of(Client().get(where), 404, "not_found")


def test_a_page_where_nothing_is_stays_a_page(world: World) -> None:
    response = Client().get("/nothing")
    assert response.status_code == 404
    assert response["Content-Type"].startswith("text/html")


def test_a_wrong_method_names_those_that_are_allowed(client_of: ClientOf) -> None:
    response = client_of("root")("DELETE", "vehicles")
    problem_of(response, 405, "validation_error")
    assert "POST" in response["Allow"]


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b"\xff\xfe",
        b'{"vehicleId": NaN}',
        b'{"plate": "\\ud800"}',
        b"[" * 100_000,
        b'{"version": ' + b"1" * 5000 + b"}",
        b"null",
        b"[]",
        b'"text"',
    ],
    ids=lambda body: repr(body[:16]),
)
def test_a_body_that_is_no_good_json_is_refused(world: World, body: bytes) -> None:
    client = admin_client()
    problem_of(client.post("/api/v1/vehicles", body, "application/json"), 400, "validation_error")


def test_a_body_that_is_too_large_is_refused(world: World) -> None:
    client = admin_client()
    body = json.dumps({"plate": "x" * MAX_BODY_BYTES})
    problem_of(client.post("/api/v1/vehicles", body, "application/json"), 413, "validation_error")


def test_a_body_that_is_no_json_is_refused(world: World) -> None:
    client = admin_client()
    problem_of(client.post("/api/v1/vehicles", {"vehicleId": "truck-9"}), 415, "validation_error")


def test_a_host_that_is_not_allowed_is_refused(world: World) -> None:
    problem_of(Client().get("/api/v1/vehicles", headers={"Host": "evil.example"}), 400, "validation_error")


@pytest.fixture
def no_database(world: World) -> Iterator[None]:
    """The database goes away: from here on each query fails as psycopg and sqlite3 fail then."""

    def gone(*_: object) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(gone):
        yield


def test_without_the_database_the_answer_is_to_try_again(no_database: None) -> None:
    response = ApiClient(token="v2v_any")("GET", "presence")
    problem_of(response, 503, "unavailable")
    assert int(response["Retry-After"]) > 0


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("a secret that nobody should read")


urlpatterns = [path("api/v1/broken", broken)]
handler500 = "v2v.api.problems.server_error"


@pytest.mark.urls(__name__)
def test_what_nobody_foresaw_is_an_internal_error_that_tells_nothing() -> None:
    response = Client(raise_request_exception=False).get("/api/v1/broken")
    problem_of(response, 500, "internal_error")
    assert b"secret" not in response.content
