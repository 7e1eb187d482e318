"""Working an alert on the console: every action, and who was faster."""

import re

from playwright.sync_api import Page, expect

from tests.browser.console.conftest import AddTruck, OpenConsole, log_in
from tests.browser.console.desk import Desk
from tests.browser.console.test_alerts_shown import banner_of
from tests.servers.v2v import V2VServer


def state(page: Page) -> str:
    return page.locator("#drawer .alert-state").inner_text()


def test_the_banner_acknowledges(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck()
    page = open_console()
    alert_id = truck.call_for_help()
    other = add_truck(10).call_for_help(severity="low")
    banner_of(page, alert_id).get_by_role("button", name="Acknowledge").press("Enter")
    assert truck.hear("alert_updated", change="acknowledged", alertId=alert_id)["by"] == "alpha_dispatcher"
    expect(banner_of(page, alert_id)).to_have_count(0)
    expect(page.locator("#alert-banners")).to_be_focused()
    expect(banner_of(page, other)).to_be_visible()


def test_an_alert_is_taken_assigned_noted_and_resolved_in_the_drawer(
    open_console: OpenConsole, add_truck: AddTruck
) -> None:
    alert_id = add_truck().call_for_help(type="crash")
    page = open_console(f"/?alert={alert_id}")
    drawer, standing = page.locator("#drawer"), page.locator("#drawer .alert-state")
    drawer.get_by_role("button", name="Acknowledge").click()
    expect(standing).to_have_text("Taken by alpha_dispatcher.")
    drawer.get_by_role("button", name="Assign to me").click()
    expect(standing).to_contain_text("Assigned to alpha_dispatcher")
    page.locator("#alert-action-assign summary").click()
    drawer.get_by_label("Assign to", exact=True).fill("Ambulance 3")
    drawer.get_by_role("button", name="Assign instead of alpha_dispatcher").click()
    expect(standing).to_contain_text("Assigned to Ambulance 3")
    page.locator("#alert-action-note summary").click()
    page.locator("#alert-note").fill("Police informed")
    drawer.get_by_role("button", name="Add the note").click()
    expect(drawer.locator(".timeline")).to_contain_text("Police informed")
    page.locator("#alert-action-resolve summary").click()
    drawer.get_by_text("False alarm", exact=True).click()
    drawer.get_by_role("button", name="Resolve the alert").click()
    expect(drawer.get_by_role("alert")).to_contain_text("needs a note")
    page.locator("#alert-resolve-note").fill("A child pressed it")
    drawer.get_by_role("button", name="Resolve the alert").click()
    expect(standing).to_have_text("Resolved as false alarm by alpha_dispatcher.")
    expect(drawer.locator(".timeline")).to_contain_text("A child pressed it")


def test_an_alert_is_negated_on_somebodys_word(open_console: OpenConsole, add_truck: AddTruck) -> None:
    alert_id = add_truck().call_for_help()
    page = open_console(f"/?alert={alert_id}")
    page.locator("#alert-action-negate summary").click()
    page.get_by_label("On whose word").fill("The police")
    page.get_by_role("button", name="Negate the alert").click()
    expect(page.locator("#drawer .alert-state")).to_have_text("Negated by alpha_dispatcher.")
    expect(banner_of(page, alert_id)).to_have_count(0)


def test_of_two_dispatchers_at_once_one_has_it_and_both_see_who(
    open_console: OpenConsole, add_truck: AddTruck, console_server: V2VServer, other_session: str
) -> None:
    truck = add_truck()
    page = open_console()
    browser = page.context.browser
    assert browser
    other = browser.new_context(locale="en-GB").new_page()
    log_in(other, console_server, other_session)
    other.goto(console_server.url)
    alert_id = truck.call_for_help()
    for one in (page, other):
        expect(banner_of(one, alert_id)).to_be_visible()
    moment = page.evaluate("Date.now()") + 500
    for one in (page, other):
        one.evaluate(
            "([id, at]) => void setTimeout("
            "() => document.querySelector(`.alert-banner[data-alert-id='${id}'] button`)?.click(), at - Date.now())",
            [alert_id, moment],
        )
    taken = truck.hear("alert_updated", change="acknowledged", alertId=alert_id)["by"]
    for one in (page, other):
        expect(banner_of(one, alert_id)).to_have_count(0)
        one.goto(f"{console_server.url}/?alert={alert_id}")
        expect(one.locator("#drawer .alert-state")).to_have_text(f"Taken by {taken}.")
    other.context.close()


def test_who_was_faster_is_named_to_the_slower(open_console: OpenConsole, add_truck: AddTruck, desk: Desk) -> None:
    alert_id = add_truck().call_for_help()
    page = open_console(f"/?alert={alert_id}")
    # As if the news were still on their way when the button is pressed.
    page.evaluate("window.early = document.getElementById('alert-form-acknowledge').cloneNode(true)")
    desk.do("alert_ack", alertId=alert_id)
    expect(page.locator("#drawer .alert-state")).to_have_text("Taken by alpha_fleet_admin.")
    page.evaluate("document.querySelector('.alert-buttons').append(early), htmx.process(early), early.requestSubmit()")
    expect(page.locator("#alert-actions").get_by_role("alert")).to_contain_text("alpha_fleet_admin was faster")


def test_what_is_being_typed_survives_what_others_do(
    open_console: OpenConsole, add_truck: AddTruck, desk: Desk
) -> None:
    alert_id = add_truck().call_for_help()
    page = open_console(f"/?alert={alert_id}")
    page.locator("#alert-action-note summary").click()
    note = page.locator("#alert-note")
    note.press_sequentially("Half a no")
    desk.do("alert_note", alertId=alert_id, note="From elsewhere")
    expect(page.locator("#drawer .timeline")).to_contain_text("From elsewhere")
    expect(note).to_have_value("Half a no")
    expect(note).to_be_focused()
    expect(page.locator("#alert-action-note")).to_have_attribute("open", re.compile(".*"))


def test_a_viewer_sees_everything_and_can_do_nothing(
    open_console: OpenConsole, add_truck: AddTruck, console_server: V2VServer
) -> None:
    truck = add_truck()
    alert_id = truck.call_for_help()
    page = open_console(f"/?alert={alert_id}", session=console_server.login("alpha_viewer"))
    expect(page.locator("#alert-actions")).to_contain_text("You may look at this alert")
    expect(banner_of(page, alert_id).get_by_role("link", name="View")).to_be_visible()
    assert page.get_by_role("button", name="Acknowledge").count() == 0
    assert page.locator(".toast[data-tone=error]").count() == 0


def test_without_scripts_the_forms_work_too(
    open_console: OpenConsole, add_truck: AddTruck, console_server: V2VServer, session: str, page: Page
) -> None:
    alert_id = add_truck().call_for_help()
    browser = page.context.browser
    assert browser
    plain = browser.new_context(java_script_enabled=False).new_page()
    log_in(plain, console_server, session)
    plain.goto(f"{console_server.url}/?tab=alerts")
    plain.locator(f"#alert-row-{alert_id}").click()
    plain.locator("#drawer").get_by_role("button", name="Acknowledge").click()
    assert state(plain) == "Taken by alpha_dispatcher."
    plain.context.close()
