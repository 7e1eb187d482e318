"""What the console says and does when the connection goes."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.console.conftest import PLACE, OpenConsole, log_in
from tests.browser.console.truck import on_the_road
from tests.servers.v2v import ROOT, V2VServer

WAIT_MS = 40_000  # the longest wait of the back-off, and the start of a server


def test_a_server_that_dies_is_told_and_found_again_with_its_whole_state(
    page: Page, start_server: Callable[[], V2VServer], page_errors: list[str]
) -> None:
    own_server = start_server()
    log_in(page, own_server, own_server.login("alpha_dispatcher"))
    with on_the_road(own_server, *PLACE) as truck:
        page.goto(own_server.url)
        row = page.locator(f"#row-{truck.vehicle_id}")
        expect(row).to_have_attribute("data-status", "online")
        os.kill(own_server.pid, signal.SIGKILL)
        banner = page.locator("#connection-banner")
        expect(banner).to_contain_text("The connection was lost")
        expect(banner).to_contain_text("Next try in")
        expect(page.locator("#connection")).to_have_text("Reconnecting")
    again = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=own_server.environment)
    try:
        expect(page.locator("#connection")).to_have_attribute("data-state", "open", timeout=WAIT_MS)
        expect(banner).to_be_hidden()
        expect(row).to_have_attribute("data-status", "offline")  # the new snapshot counts, nothing of before
        page.goto("about:blank")  # before the server ends again, which the page would log
    finally:
        again.terminate()
        again.wait(timeout=15)
    page_errors.clear()  # the browser logs each connection that was refused


def test_without_network_the_console_says_so_and_comes_back_with_it(
    open_console: OpenConsole, page_errors: list[str]
) -> None:
    page = open_console()
    page.context.set_offline(True)
    banner = page.locator("#connection-banner")
    expect(banner).to_contain_text("This computer is offline")
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_have_attribute("data-state", "open")
    expect(banner).to_be_hidden()
    page_errors.clear()


def test_a_socket_without_a_session_leads_to_the_login(open_console: OpenConsole, page_errors: list[str]) -> None:
    page = open_console()
    page.context.clear_cookies()
    page.context.set_offline(True)
    expect(page.locator("#connection-banner")).to_be_visible()
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    page_errors.clear()


def test_a_part_of_the_page_without_a_session_leads_to_the_login(open_console: OpenConsole) -> None:
    page = open_console()
    page.wait_for_load_state("networkidle")
    page.context.clear_cookies()
    page.locator(".vehicle-row").first.click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
