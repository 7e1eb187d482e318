"""The browser itself: it draws, it scripts, and what it logs as an error is noted."""

from django.contrib.auth import get_user_model
from playwright.sync_api import Page


def test_a_page_runs_its_script_in_the_locale_of_the_tests(page: Page) -> None:
    page.set_content("<title>V2V</title><p id=place></p>")
    seen = page.evaluate("() => [navigator.language, innerWidth, Intl.DateTimeFormat().resolvedOptions().timeZone]")
    assert seen == ["en-GB", 1280, "UTC"]


def test_an_error_of_the_page_is_noted(page: Page, page_errors: list[str]) -> None:
    page.set_content("<script>console.error('lost'); missing()</script>")
    assert page_errors[0] == "lost"
    assert "missing is not defined" in page_errors[1]
    page_errors.clear()


def test_the_database_can_be_used_beside_the_browser(page: Page, db: None) -> None:
    page.set_content("<p>")
    assert not get_user_model().objects.exists()
