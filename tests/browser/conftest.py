"""A real browser, and a page of it in which every error that the browser logs fails the test."""

from collections.abc import Iterator

import pytest
from django.db import connections
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.servers import chromium

WAIT_MS = 15_000  # on two busy cores five seconds, Playwright's own, are at times too few
LOCALE, TIME_ZONE = "en-GB", "UTC"


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, while browser tests run: its event loop must not stay in the thread of asynchronous tests."""
    program, node = chromium.required()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PLAYWRIGHT_NODEJS_PATH", str(node))
        # Playwright keeps an event loop running in this thread, which Django would take for asynchronous code.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        expect.set_options(timeout=WAIT_MS)
        with sync_playwright() as playwright:
            started = playwright.chromium.launch(executable_path=program, args=list(chromium.FLAGS))
            yield started
            started.close()
            connections.close_all()  # beside the running loop, tests had connections of their own


@pytest.fixture
def page_errors() -> list[str]:
    """What the page has logged as an error. A test that provokes errors clears it."""
    return []


@pytest.fixture
def page(browser: Browser, page_errors: list[str]) -> Iterator[Page]:
    """A page with cookies and storage of its own, 1280 x 800, in English and UTC."""
    context = browser.new_context(locale=LOCALE, timezone_id=TIME_ZONE, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(WAIT_MS)

    def note(message: ConsoleMessage) -> None:
        if message.type == "error":
            page_errors.append(message.text)

    page = context.new_page()
    page.on("console", note)
    page.on("pageerror", lambda error: page_errors.append(str(error)))
    yield page
    context.close()
    assert page_errors == []
