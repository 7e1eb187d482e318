"""Messages in the console, with vehicles on their own sockets."""

import re

from playwright.sync_api import expect

from tests.browser.console.conftest import AddTalker, OpenConsole
from tests.browser.console.talker import message, row_of, thread_of, unread, write
from tests.browser.console.toasts import toasted, watch_toasts
from tests.servers.v2v import V2VServer


def test_a_message_is_told_counted_listed_and_read_when_it_is_seen(
    open_console: OpenConsole, add_talker: AddTalker
) -> None:
    page, talker = open_console(), add_talker()
    before = unread(page)
    message_id = talker.say("Ten minutes late")
    expect(page.locator(".toast")).to_contain_text("Ten minutes late")
    expect(page.locator("#messages-count")).to_have_text(str(before + 1))
    assert talker.hear("message_status", messageId=message_id)["status"] == "delivered"
    page.keyboard.press("g")
    page.keyboard.press("m")
    row = row_of(page, talker)
    expect(row).to_have_attribute("data-unread", "")
    expect(row).to_contain_text("1 unread")
    row.click()
    expect(message(page, "Ten minutes late")).to_be_visible()
    talker.hear("message_status", messageId=message_id, status="read")
    expect(row).not_to_have_attribute("data-unread", "")
    expect(page.locator("#messages-count")).to_have_text(re.compile(f"^{before or ''}$"))
    expect(page.locator("#thread .badge")).to_have_count(0)


def test_an_answer_goes_out_by_enter_and_its_status_follows_live(
    open_console: OpenConsole, add_talker: AddTalker
) -> None:
    talker = add_talker()
    page = open_console(thread_of(talker))
    write(page, "Dock 4, please")
    came = talker.hear("message")
    assert (came["content"], came["senderName"]) == ("Dock 4, please", "alpha_dispatcher")
    sent = message(page, "Dock 4, please")
    expect(sent.locator(".message-status")).to_have_text("Queued")
    expect(sent).to_have_count(1)
    talker.tell("message_delivered", {"messageIds": [came["messageId"]]})
    expect(sent.locator(".message-status")).to_have_text("Delivered")
    talker.command("message_read", {"messageId": came["messageId"]})
    expect(sent.locator(".message-status")).to_have_text("Read")
    expect(page.get_by_role("textbox", name="Message to")).to_have_value("")


def test_what_is_told_in_one_tab_and_read_in_one_is_so_in_the_other(
    open_console: OpenConsole, add_talker: AddTalker
) -> None:
    page, talker = open_console("/?tab=messages"), add_talker()
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.locator("#connection")).to_have_attribute("data-state", "open")
    for tab in (page, other):
        watch_toasts(tab)
    talker.say("Which gate?")
    for tab in (page, other):
        expect(row_of(tab, talker)).to_contain_text("1 unread")
    while sum(toasted(tab, "Which gate?") for tab in (page, other)) == 0:
        page.wait_for_timeout(50)
    page.wait_for_timeout(300)  # so long messages are gathered: a second toast would be there by now
    assert sum(toasted(tab, "Which gate?") for tab in (page, other)) == 1
    row_of(other, talker).click()
    for tab in (page, other):
        expect(row_of(tab, talker)).not_to_contain_text("unread")


def test_a_conversation_that_is_open_takes_what_comes_and_keeps_the_readers_place(
    open_console: OpenConsole, add_talker: AddTalker, console_server: V2VServer
) -> None:
    talker = add_talker()
    console_server.shell(f"""
from django.contrib.auth.models import User
from django.utils import timezone
from v2v.fleets.policy import actor_of_user
from v2v.messaging.services import message_send
actor = actor_of_user(User.objects.get(username="alpha_dispatcher"))
for n in range(60):
    message_send(actor=actor, recipient_id="{talker.vehicle_id}", content=f"line {{n}}", via="api", now=timezone.now())
""")
    page = open_console(thread_of(talker))
    expect(message(page, "line 59")).to_be_in_viewport()
    talker.say("at the end")
    expect(message(page, "at the end")).to_be_in_viewport()
    page.locator("#thread").evaluate("thread => thread.scrollTop = 0")
    expect(message(page, "line 5")).to_be_attached()
    expect(message(page, "line 21")).to_be_in_viewport()  # what was read has not moved
    talker.say("while reading")
    expect(page.locator("#thread-new")).to_have_text("1 new")
    expect(message(page, "line 21")).to_be_in_viewport()
    page.locator("#thread-new").click()
    expect(message(page, "while reading")).to_be_in_viewport()
    expect(page.locator("#thread-new")).to_be_hidden()


def test_a_draft_and_what_was_not_sent_yet_survive_a_reload(
    open_console: OpenConsole, add_talker: AddTalker, page_errors: list[str]
) -> None:
    talker = add_talker()
    page = open_console(thread_of(talker))
    page.context.set_offline(True)
    expect(page.locator("#connection")).to_have_attribute("data-state", "offline")
    write(page, "Sent without network")
    expect(message(page, "Sent without network")).to_contain_text("Waits for the connection")
    page.get_by_role("textbox", name="Message to").fill("Half a sen")
    page.context.set_offline(False)
    page.reload()
    expect(page.get_by_role("textbox", name="Message to")).to_have_value("Half a sen")
    expect(message(page, "Sent without network")).to_contain_text("Queued")
    talker.hear("message")
    write(page, "after it")
    talker.hear("message", content="after it")
    assert [came["content"] for came in talker.messages()] == ["Sent without network", "after it"]
    expect(message(page, "Sent without network")).to_have_count(1)
    page_errors.clear()  # the browser logs each connection that was refused


def test_what_is_refused_stays_with_its_reason_until_it_is_discarded(
    open_console: OpenConsole, add_talker: AddTalker, console_server: V2VServer, page_errors: list[str]
) -> None:
    talker = add_talker()
    talker.say("Off duty now")
    page = open_console(thread_of(talker))
    console_server.shell(f"""
from django.utils import timezone
from v2v.vehicles.models import Vehicle
Vehicle.objects.filter(vehicle_id="{talker.vehicle_id}").update(deleted_at=timezone.now())
""")
    write(page, "Are you there?")
    refused = message(page, "Are you there?")
    expect(refused).to_contain_text("Not sent. It does not exist, or not for you.")
    refused.get_by_role("button", name="Retry").click()
    expect(refused).to_contain_text("Not sent.")
    page.reload()
    page_errors.clear()  # of what was being fetched when the page went
    expect(refused).to_contain_text("Not sent.")
    expect(page.locator(".composer-note")).to_contain_text("no longer in Alpha")
    refused.get_by_role("button", name="Discard").click()
    expect(refused).to_have_count(0)


def test_wrong_input_is_told_and_not_sent(open_console: OpenConsole, add_talker: AddTalker) -> None:
    talker = add_talker()
    page = open_console(thread_of(talker))
    box, error = page.get_by_role("textbox", name="Message to"), page.locator("#composer-error")
    write(page, "🚚" * 513)
    expect(error).to_contain_text("Too long by 1")
    expect(page.locator("#composer-count")).to_have_text("513/512")
    page.get_by_label("JSON").check()
    write(page, '{"dock": 4')
    expect(error).to_contain_text("This is not JSON")
    write(page, '{"dock": 4}')
    came = talker.hear("message")
    assert (came["contentType"], came["content"]) == ("json", '{"dock": 4}')
    expect(page.locator("#thread pre")).to_have_text('{\n  "dock": 4\n}')
    expect(box).to_have_value("")
    page.get_by_label("JSON").uncheck()
    box.fill("one")
    page.keyboard.press("Shift+Enter")
    page.keyboard.type("two")
    page.keyboard.press("Enter")
    assert talker.hear("message", contentType="text")["content"] == "one\ntwo"


def test_a_broadcast_is_confirmed_by_name_and_counts_its_recipients(
    open_console: OpenConsole, add_talker: AddTalker, console_server: V2VServer
) -> None:
    first, second = add_talker("beta"), add_talker("beta")
    page = open_console("/?tab=messages", session=console_server.login("beta_dispatcher"))
    page.get_by_role("link", name="Broadcast").click()
    write(page, "Fog on E11")
    dialog = page.get_by_role("dialog", name="Send to all of Beta?")
    expect(dialog).to_contain_text("20 vehicles of Beta")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("textbox", name="Message to")).to_have_value("Fog on E11")
    page.get_by_role("textbox", name="Message to").press("Enter")
    dialog.get_by_role("button", name="Send to 20 vehicles").click()
    sent = message(page, "Fog on E11")
    expect(sent).to_contain_text("20 queued")
    message_id = first.hear("message")["messageId"]
    first.command("message_read", {"messageId": message_id})
    expect(sent).to_contain_text("19 queued · 1 read")
    sent.get_by_role("button", name="19 queued").click()
    recipients = page.get_by_role("dialog", name="Recipients")
    recipients.get_by_role("button", name="Read").click()
    expect(recipients.locator(".recipient")).to_have_count(1)
    expect(recipients).to_contain_text(first.vehicle_id)
    page.keyboard.press("Escape")
    second.hear("message", messageId=message_id)
    assert [came["content"] for came in second.messages()] == ["Fog on E11"]
