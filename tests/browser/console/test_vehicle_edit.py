"""Two people edit one vehicle at once, each in a browser of his own."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import LOCALE, TIME_ZONE, WAIT_MS
from tests.browser.console.conftest import OpenConsole, log_in
from tests.browser.console.test_hands_and_eyes import PHONE, violations
from tests.servers.v2v import V2VServer

VEHICLE = "alpha-00170"


@pytest.fixture(scope="module")
def root_session(console_server: V2VServer) -> str:
    return console_server.login("admin")


@pytest.fixture
def other_page(browser: Browser, console_server: V2VServer, root_session: str) -> Iterator[Page]:
    context = browser.new_context(locale=LOCALE, timezone_id=TIME_ZONE)
    context.set_default_timeout(WAIT_MS)
    page = context.new_page()
    log_in(page, console_server, root_session)
    yield page
    context.close()


def test_of_two_who_edit_the_second_chooses_field_by_field(
    open_console: OpenConsole,
    other_session: str,
    other_page: Page,
    console_server: V2VServer,
    page_errors: list[str],
) -> None:
    page = open_console(f"/?vehicle={VEHICLE}", session=other_session)
    page.get_by_role("link", name="Edit").click()
    expect(page.get_by_role("heading", name=f"Edit {VEHICLE}")).to_be_visible()

    other_page.goto(f"{console_server.url}/vehicles/{VEHICLE}/edit/")
    other_page.get_by_label("Plate").fill("THEIRS 1")
    other_page.get_by_label("Driver").fill("Their driver")
    other_page.get_by_role("button", name="Save").click()
    expect(other_page.locator("#drawer-title")).to_have_text(VEHICLE)

    page.get_by_label("Plate").fill("MINE 1")
    page.get_by_label("Color").fill("my blue")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("alert")).to_contain_text("admin changed it while you edited it")
    page_errors.clear()  # the browser logs each answer of 409
    plate = page.get_by_role("group", name="Plate")
    expect(plate.get_by_role("radio", name="MINE 1")).to_be_checked()
    expect(page.get_by_role("group", name="Driver").get_by_role("radio", name="Their driver")).to_be_checked()
    assert violations(page) == []
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]

    plate.get_by_role("radio", name="THEIRS 1").check()
    page.get_by_role("button", name="Save what is chosen").click()
    facts = page.locator("#drawer .facts")
    expect(facts).to_contain_text("THEIRS 1")
    expect(facts).to_contain_text("my blue")
    expect(page.locator("#drawer [data-live=driver]")).to_have_text("Their driver")


def test_a_dispatcher_has_no_way_to_edit(open_console: OpenConsole) -> None:
    page = open_console(f"/?vehicle={VEHICLE}")
    expect(page.locator("#drawer-title")).to_have_text(VEHICLE)
    expect(page.get_by_role("link", name="Edit")).to_have_count(0)
