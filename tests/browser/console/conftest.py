"""The console of a real server, with vehicles that a test drives."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.desk import Desk, at_the_desk
from tests.browser.console.talker import Talker, talking
from tests.browser.console.truck import Truck, on_the_road
from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer

PLACE = (25.2048, 55.2708)  # Dubai, downtown
DEGREE_M = 111_195  # of latitude

OpenConsole = Callable[..., Page]
AddTruck = Callable[..., Truck]
AddTalker = Callable[..., Talker]


def north_of(meters: float) -> tuple[float, float]:
    """The position so many meters north of PLACE."""
    return PLACE[0] + meters / DEGREE_M, PLACE[1]


def log_in(page: Page, server: V2VServer, session: str) -> None:
    """Give the page a session, as `V2VServer.login` makes it."""
    name, _, value = session.partition("=")
    page.context.add_cookies([{"name": name, "value": value, "url": server.url}])


@pytest.fixture(scope="package")
def console_server(run: Run) -> Iterator[V2VServer]:
    """A server that the tests of the console share; each takes vehicles of its own."""
    server = v2v.start(run)
    yield server
    server.stop()


@pytest.fixture(scope="package")
def session(console_server: V2VServer) -> str:
    """The session of a dispatcher of fleet alpha; a password takes half a second to check, so tests share it."""
    return console_server.login("alpha_dispatcher")


@pytest.fixture
def open_console(page: Page, console_server: V2VServer, session: str) -> OpenConsole:
    """Opens the console at a path, as a dispatcher of fleet alpha or with another session; waits until it is live."""

    def opened(path: str = "/", *, session: str = session) -> Page:
        log_in(page, console_server, session)
        page.goto(console_server.url + path)
        expect(page.locator("#connection")).to_have_attribute("data-state", "open")
        return page

    return opened


@pytest.fixture(scope="package")
def other_session(console_server: V2VServer) -> str:
    """The session of another who may work the alerts of fleet alpha."""
    return console_server.login("alpha_fleet_admin")


@pytest.fixture
def desk(console_server: V2VServer, other_session: str) -> Iterator[Desk]:
    """Another dispatcher of fleet alpha, alpha_fleet_admin, on a socket of his own."""
    with at_the_desk(console_server, other_session) as desk:
        yield desk


@pytest.fixture
def add_truck(console_server: V2VServer) -> Iterator[AddTruck]:
    """Puts trucks on the road, north of PLACE by meters; they leave it at the end of the test."""
    with ExitStack() as stack:
        yield lambda meters=0.0, **more: stack.enter_context(on_the_road(console_server, *north_of(meters), **more))


@pytest.fixture
def add_talker(console_server: V2VServer) -> Iterator[AddTalker]:
    """Puts vehicles on the road that write; they leave it at the end of the test."""
    with ExitStack() as stack:
        yield lambda fleet="alpha", **more: stack.enter_context(talking(console_server, fleet, **more))
