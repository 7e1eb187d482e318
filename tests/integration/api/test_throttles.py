"""How often the API may be asked, and what who asks more often is told."""

import http.client
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import Message
from functools import partial
from typing import Any

import pytest

from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer

OF_SOMEBODY, OF_NOBODY = 6, 4


@pytest.fixture(scope="module")
def strict(run: Run) -> Iterator[V2VServer]:
    running = v2v.start(run, API_REQUESTS_PER_MINUTE=str(OF_SOMEBODY), API_ANONYMOUS_PER_MINUTE=str(OF_NOBODY))
    yield running
    running.stop()


@dataclass
class Answer:
    status: int
    headers: Message
    body: Any


def get(server: V2VServer, address: str, path: str = "/api/v1/presence", **headers: str) -> Answer:
    """The answer to a request that comes through a proxy on this machine, which says for whom it asks."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=10)
    connection.request("GET", path, headers={"X-Forwarded-For": address, **headers})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    is_json = response.headers["Content-Type"].endswith("json")
    return Answer(response.status, response.headers, json.loads(body) if is_json else None)


Ask = Callable[..., Answer]


@pytest.fixture
def ask(strict: V2VServer) -> Ask:
    return partial(get, strict)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def assert_limited(answer: Answer) -> None:
    assert (answer.status, answer.body["code"]) == (429, "rate_limited")
    assert answer.headers["Content-Type"] == "application/problem+json"
    wait_ms = answer.body["details"]["retryAfterMs"]
    assert 0 < wait_ms <= 60_000 / OF_NOBODY
    assert int(answer.headers["Retry-After"]) == -(-wait_ms // 1000)


def test_a_device_has_a_limit_of_its_own_wherever_it_asks_from(strict: V2VServer, ask: Ask) -> None:
    (_, one), (_, other) = strict.vehicle(), strict.vehicle()
    statuses = [ask(f"192.0.2.{n}", **bearer(one)).status for n in range(OF_SOMEBODY)]
    assert statuses == [200] * OF_SOMEBODY
    assert_limited(ask("192.0.2.100", **bearer(one)))
    assert ask("192.0.2.100", **bearer(other)).status == 200


def test_a_user_has_a_limit_for_all_his_log_ins(strict: V2VServer, ask: Ask) -> None:
    browsers = [{"Cookie": strict.login("alpha_viewer")} for _ in range(2)]
    statuses = [ask("198.51.100.1", **browsers[n % 2]).status for n in range(OF_SOMEBODY)]
    assert statuses == [200] * OF_SOMEBODY
    assert_limited(ask("198.51.100.2", **browsers[0]))


@pytest.mark.parametrize(
    ("headers", "addresses"),
    [
        ({}, ["203.0.113.1"] * 5),
        (bearer("v2v_guess"), ["203.0.113.2"] * 5),
        ({"Cookie": "sessionid=guess"}, ["203.0.113.3"] * 5),
        (bearer("v2v_guess"), [f"2001:db8:0:1::{n}" for n in range(1, 6)]),
        (bearer("v2v_guess"), ["203.0.113.4", "::ffff:203.0.113.4"] * 2 + ["203.0.113.4"]),
    ],
    ids=["nothing", "tokens", "cookies", "IPv6", "IPv4 as IPv6"],
)
def test_who_is_nobody_is_limited_by_his_address(ask: Ask, headers: dict[str, str], addresses: list[str]) -> None:
    *first, last = addresses
    assert [ask(address, **headers).status for address in first] == [401] * OF_NOBODY
    assert_limited(ask(last, **headers))


def test_good_credentials_cost_an_address_nothing(strict: V2VServer, ask: Ask) -> None:
    _, token = strict.vehicle()
    for _ in range(OF_SOMEBODY):
        assert ask("203.0.113.9", **bearer(token)).status == 200
    assert ask("203.0.113.9", **bearer("v2v_guess")).status == 401


def test_what_everybody_may_read_is_limited_by_address_too(ask: Ask) -> None:
    statuses = [ask("203.0.113.10", path="/api/v1/schema").status for _ in range(OF_NOBODY + 1)]
    assert statuses == [200] * OF_NOBODY + [429]


def test_a_page_is_not_limited(ask: Ask) -> None:
    assert [ask("203.0.113.11", path="/login/").status for _ in range(OF_NOBODY + 2)] == [200] * (OF_NOBODY + 2)


def test_only_a_trusted_proxy_may_say_who_asks(start_server: Callable[..., V2VServer]) -> None:
    server = start_server(FORWARDED_ALLOW_IPS="192.0.2.0/24", API_ANONYMOUS_PER_MINUTE=str(OF_NOBODY))
    assert [get(server, f"203.0.113.{n}").status for n in range(OF_NOBODY + 1)] == [401] * OF_NOBODY + [429]
