"""Who may see the console."""

from playwright.sync_api import Page, expect

from tests.browser.console.conftest import OpenConsole
from tests.servers.prepare import PASSWORD
from tests.servers.v2v import V2VServer


def _sign_in(page: Page, name: str, password: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_stranger_signs_in_and_gets_the_page_that_was_asked_for(page: Page, console_server: V2VServer) -> None:
    page.goto(f"{console_server.url}/?vehicle=alpha-00001")
    _sign_in(page, "alpha_viewer", PASSWORD)
    expect(page.get_by_role("heading", name="alpha-00001")).to_be_visible()


def test_a_wrong_password_is_told_and_the_name_is_kept(page: Page, console_server: V2VServer) -> None:
    page.goto(f"{console_server.url}/login/")
    _sign_in(page, "alpha_viewer", "wrong")
    expect(page.get_by_role("alert")).to_contain_text("do not match")
    expect(page.get_by_label("Name")).to_have_value("alpha_viewer")


def test_signing_out_ends_the_session(open_console: OpenConsole, console_server: V2VServer) -> None:
    page = open_console(session=console_server.login("alpha_viewer"))
    page.get_by_label("Account of alpha_viewer").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


def test_a_fleet_of_others_stays_unseen(open_console: OpenConsole, console_server: V2VServer) -> None:
    page = open_console("/?vehicle=alpha-00001", session=console_server.login("beta_dispatcher"))
    expect(page.locator(".vehicle-row").first).to_contain_text("beta-00001")
    assert page.locator(".vehicle-row", has_text="alpha").count() == 0
    assert page.locator("#drawer").inner_text() == ""


def test_an_unknown_address_explains_itself(page: Page, console_server: V2VServer, page_errors: list[str]) -> None:
    page.goto(f"{console_server.url}/nothing/")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    page_errors.clear()  # the browser logs the 404
