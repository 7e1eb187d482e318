"""Messages by keyboard, on a phone, for a viewer, and with content that means harm."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import AddTalker, OpenConsole
from tests.browser.console.talker import message, row_of, thread_of, write
from tests.browser.console.test_hands_and_eyes import PHONE, violations
from tests.servers.v2v import V2VServer

HOSTILE = "<img src=x onerror=alert(1)>\"'&{{7*7}}\u202eRTL 🚚"


def test_a_viewer_reads_along_without_reading_for_dispatch(
    open_console: OpenConsole, add_talker: AddTalker, console_server: V2VServer
) -> None:
    talker = add_talker()
    page = open_console(thread_of(talker), session=console_server.login("alpha_viewer"))
    expect(page.locator(".composer-note")).to_contain_text("a viewer sends no messages")
    talker.say("Seen by a viewer")
    expect(message(page, "Seen by a viewer")).to_be_in_viewport()
    expect(message(page, "Seen by a viewer").locator(".badge")).to_have_text("New")
    expect(page.get_by_role("link", name="Broadcast")).to_have_count(0)
    talker.say("again")
    expect(message(page, "again")).to_be_visible()
    assert not [heard for heard in talker.heard if heard["event"] == "message_status"]


def test_hostile_content_is_only_text(open_console: OpenConsole, add_talker: AddTalker) -> None:
    talker = add_talker(driverName=HOSTILE[:40])
    page = open_console("/?tab=messages")
    talker.say(HOSTILE)
    expect(page.locator(".toast")).to_contain_text(HOSTILE)
    row = row_of(page, talker)
    expect(row).to_contain_text(HOSTILE)
    row.click()
    expect(message(page, HOSTILE)).to_be_visible()
    write(page, HOSTILE)
    expect(message(page, HOSTILE)).to_have_count(2)
    assert talker.hear("message")["content"] == HOSTILE
    assert page.locator("img[src=x]").count() == 0


def test_m_writes_to_the_vehicle_and_escape_leads_back(open_console: OpenConsole, add_talker: AddTalker) -> None:
    talker = add_talker()
    page = open_console(f"/?vehicle={talker.vehicle_id}")
    page.keyboard.press("m")
    box = page.get_by_role("textbox", name=f"Message to {talker.vehicle_id}")
    expect(box).to_be_focused()
    page.keyboard.type("m is a letter here")
    expect(box).to_have_value("m is a letter here")
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_empty()
    page.go_back()
    expect(box).to_have_value("m is a letter here")
    page.go_back()
    page.get_by_role("link", name=f"Message {talker.vehicle_id}").click()
    expect(box).to_be_focused()


def test_the_filter_stands_in_the_address(
    open_console: OpenConsole, add_talker: AddTalker, page_errors: list[str]
) -> None:
    one, other = add_talker(), add_talker()
    one.say("For the search")
    one.say("Between us", recipientId=other.vehicle_id)
    page = open_console("/?tab=messages")
    page.get_by_role("searchbox", name="last message").fill(one.vehicle_id)
    expect(page.locator(".conversation-row")).to_have_count(2)
    page.get_by_text("Between", exact=True).click()
    expect(page.locator(".conversation-row")).to_have_count(1)
    page.reload()
    page_errors.clear()  # of what was being fetched when the page went
    expect(page.locator(".conversation-row")).to_have_count(1)
    expect(page.locator(".conversation-row")).to_contain_text(f"{one.vehicle_id} and {other.vehicle_id}")


def test_on_a_phone_a_conversation_fills_the_page(open_console: OpenConsole, page: Page, add_talker: AddTalker) -> None:
    talker = add_talker()
    talker.say("From the road")
    page.set_viewport_size(PHONE)
    open_console("/?tab=messages")
    row_of(page, talker).click()
    expect(message(page, "From the road")).to_be_in_viewport()
    write(page, "From the phone")
    expect(message(page, "From the phone")).to_be_in_viewport()
    assert talker.hear("message")["content"] == "From the phone"
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.get_by_label("Close the conversation").click()
    expect(row_of(page, talker)).to_be_visible()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_a_conversation(open_console: OpenConsole, add_talker: AddTalker, theme: str) -> None:
    talker = add_talker()
    talker.say('{"km": 7}', recipientId="dispatch", contentType="json")
    page = open_console(thread_of(talker))
    write(page, "All parts of it")
    expect(message(page, "All parts of it")).to_contain_text("Queued")
    if theme == "light":
        page.keyboard.press("Escape")
        page.keyboard.press("t")
        page.go_back()
        expect(message(page, "All parts of it")).to_be_visible()
    assert violations(page) == []
