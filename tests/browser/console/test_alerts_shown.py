"""An alert on the console: above everything, told once, never lost, never twice."""

import re
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.console.conftest import PLACE, AddTruck, OpenConsole, log_in
from tests.browser.console.desk import Desk
from tests.browser.console.toasts import toasted, watch_toasts
from tests.browser.console.truck import on_the_road
from tests.servers.v2v import V2VServer

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&{{7*7}} \u202eשלה\u202c 🚑 "


def banner_of(page: Page, alert_id: str) -> Locator:
    return page.locator(f".alert-banner[data-alert-id='{alert_id}']")


def toast_of(page: Page, alert_id: str) -> Locator:
    return page.locator(f".toast[data-key='{alert_id}']")


def sent_by(page: Page, event: str) -> list[str]:
    """The frames with this event that the page sends from now on, on the sockets that it opens."""
    frames: list[str] = []

    def note(frame: Any) -> None:
        if f'"{event}"' in str(frame):
            frames.append(str(frame))

    page.on("websocket", lambda socket: socket.on("framesent", note))
    return frames


def test_an_alert_stands_above_everything_with_who_what_and_where(
    open_console: OpenConsole, add_truck: AddTruck
) -> None:
    truck, near = add_truck(90_000), add_truck(90_250)
    page = open_console()
    alert_id = truck.call_for_help(type="crash", severity="critical", message="Two trucks, one is hurt")
    banner = banner_of(page, alert_id)
    expect(banner).to_contain_text("Critical")
    expect(banner).to_contain_text(re.compile(rf"Crash\s+{truck.vehicle_id}"))
    expect(banner).to_contain_text("Two trucks, one is hurt")
    expect(banner).to_contain_text(f"{near.vehicle_id} is nearest, 250 m")
    expect(banner.locator("time")).to_have_text("now")
    expect(page.locator("#alerts-untaken")).to_have_text(re.compile(r"\d+"))


def test_its_sender_is_told_that_it_is_displayed_once(
    open_console: OpenConsole, add_truck: AddTruck, page: Page
) -> None:
    truck = add_truck()
    frames = sent_by(page, "alert_displayed")
    open_console()
    alert_id = truck.call_for_help()
    assert truck.hear("alert_updated", change="displayed", alertId=alert_id)["by"] == "alpha_dispatcher"
    page.reload()
    expect(banner_of(page, alert_id)).to_be_visible()
    page.wait_for_timeout(300)
    assert len(frames) == 1


def test_it_is_told_once_also_after_a_reload_and_in_a_second_tab(
    open_console: OpenConsole, add_truck: AddTruck
) -> None:
    truck = add_truck()
    page = open_console()
    tab = page.context.new_page()
    tab.goto(page.url)
    expect(tab.locator("#connection")).to_have_attribute("data-state", "open")
    for one in (page, tab):
        watch_toasts(one)
    alert_id = truck.call_for_help(message="Fire in the load")
    for one in (page, tab):
        expect(banner_of(one, alert_id)).to_be_visible()
    while sum(toasted(one, "Fire in the load") for one in (page, tab)) == 0:
        page.wait_for_timeout(50)
    page.wait_for_timeout(200)
    assert sum(toasted(one, "Fire in the load") for one in (page, tab)) == 1
    for one in (page, tab):
        one.reload()
        expect(banner_of(one, alert_id)).to_be_visible()
        one.wait_for_timeout(200)
        assert toast_of(one, alert_id).count() == 0
    tab.close()


def test_the_worst_stand_first_and_more_than_three_are_a_number(open_console: OpenConsole, add_truck: AddTruck) -> None:
    page = open_console()
    trucks = [add_truck(10 * number) for number in range(4)]
    ids = {
        name: truck.call_for_help(severity=name)
        for truck, name in zip(trucks, ("low", "critical", "medium", "high"), strict=True)
    }
    expect(page.locator("#alert-more")).to_have_text("and 1 more")
    shown = [banner.get_attribute("data-alert-id") for banner in page.locator(".alert-banner").all()]
    assert shown == [ids["critical"], ids["high"], ids["medium"]]
    page.locator("#alert-more").click()
    expect(page.locator(f"#alert-row-{ids['low']}")).to_be_visible()
    expect(page).to_have_url(re.compile("alerts=untaken"))


def test_nothing_moves_under_a_hand_that_is_about_to_press(open_console: OpenConsole, add_truck: AddTruck) -> None:
    page = open_console()
    first = add_truck().call_for_help(severity="medium")
    acknowledge = banner_of(page, first).get_by_role("button", name="Acknowledge")
    acknowledge.hover()
    before = acknowledge.bounding_box()
    worse = add_truck(10).call_for_help(severity="critical")
    expect(banner_of(page, worse)).to_be_visible()
    assert acknowledge.bounding_box() == before
    page.mouse.move(700, 780)
    expect(page.locator(".alert-banner").first).to_have_attribute("data-alert-id", worse)


def test_what_its_sender_takes_back_goes_and_says_so(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck()
    alert_id = truck.call_for_help(type="medical")
    page = open_console(f"/?tab=alerts&alert={alert_id}")
    expect(banner_of(page, alert_id)).to_be_visible()
    truck.cancel(alert_id)
    expect(banner_of(page, alert_id)).to_have_count(0)
    expect(toast_of(page, alert_id)).to_contain_text("Cancelled by its sender")
    expect(page.locator("#drawer .alert-state")).to_have_text("Cancelled by its sender.")
    expect(page.locator(f"#alert-row-{alert_id}")).to_have_count(0)


def test_worse_after_it_was_taken_it_is_nobodys_again(
    open_console: OpenConsole, add_truck: AddTruck, desk: Desk
) -> None:
    truck = add_truck()
    page = open_console()
    alert_id = truck.call_for_help(severity="medium")
    desk.do("alert_ack", alertId=alert_id)
    expect(banner_of(page, alert_id)).to_have_count(0)
    expect(toast_of(page, alert_id)).to_have_count(0)
    truck.call_for_help(alertId=alert_id, severity="critical", message="Now it burns")
    expect(banner_of(page, alert_id)).to_contain_text("Now it burns")
    expect(toast_of(page, alert_id)).to_contain_text("Now it burns")


def test_a_drill_looks_different_everywhere(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck()
    alert_id = truck.call_for_help(drill=True, severity="critical")
    page = open_console(f"/?tab=alerts&alert={alert_id}")
    for place in (banner_of(page, alert_id), page.locator(f"#alert-row-{alert_id}"), page.locator("#drawer")):
        expect(place.locator(".exercise")).to_be_visible()
    assert "EXERCISE" in page.evaluate("id => v2v.alertPlaceOf(id).label", alert_id)
    assert banner_of(page, alert_id).evaluate("banner => getComputedStyle(banner).animationName") == "none"


def test_nobody_answers_and_it_says_for_how_long(page: Page, start_server: Callable[..., V2VServer]) -> None:
    own_server = start_server(ALERT_ESCALATE_MS="1000")
    log_in(page, own_server, own_server.login("alpha_dispatcher"))
    with on_the_road(own_server, *PLACE) as truck:
        page.goto(own_server.url)
        expect(page.locator("#connection")).to_have_attribute("data-state", "open")
        alert_id = truck.call_for_help()
        expect(page.locator("#sound")).to_have_attribute("data-loudness", "0.35")
        expect(banner_of(page, alert_id)).to_contain_text(re.compile(r"Nobody has answered for \d+ s"))
        expect(page.locator("#sound")).to_have_attribute("data-loudness", re.compile("0.[5-9]"))
        expect(toast_of(page, alert_id)).to_contain_text("Nobody has answered")


def test_what_happens_while_the_connection_is_cut_is_neither_lost_nor_doubled(
    open_console: OpenConsole, add_truck: AddTruck, page_errors: list[str]
) -> None:
    ended, kept, raised = add_truck(), add_truck(10), add_truck(20)
    page = open_console("/?tab=alerts")
    first, second = ended.call_for_help(), kept.call_for_help()
    expect(toast_of(page, second)).to_be_visible()
    page.context.set_offline(True)
    expect(page.locator("#connection-banner")).to_be_visible()
    ended.cancel(first)
    third = raised.call_for_help()
    page.locator(".toast button").first.click()
    page.locator(".toast button").first.click()
    page.context.set_offline(False)
    expect(toast_of(page, third)).to_be_visible()
    expect(banner_of(page, third)).to_be_visible()
    expect(page.locator(f"#alert-row-{third}")).to_be_visible()
    expect(banner_of(page, second)).to_be_visible()
    for gone in (banner_of(page, first), page.locator(f"#alert-row-{first}"), toast_of(page, second)):
        expect(gone).to_have_count(0)
    page_errors.clear()  # the browser logs the cut


def test_hostile_words_are_only_text_wherever_they_stand(open_console: OpenConsole, add_truck: AddTruck) -> None:
    truck = add_truck(driver=HOSTILE[:50])
    message = (HOSTILE * 12)[:512]
    page = open_console("/?tab=alerts")
    scripts = page.locator("script").count()
    alert_id = truck.call_for_help(message=message)
    expect(toast_of(page, alert_id).locator(".toast-advice")).to_have_text(message)
    expect(banner_of(page, alert_id).locator(".alert-banner-message")).to_have_text(message)
    row = page.locator(f"#alert-row-{alert_id}")
    expect(row).to_contain_text(message.strip())
    assert page.evaluate("id => v2v.alertPlaceOf(id).label", alert_id) == f"Other {truck.vehicle_id}"
    row.click()
    expect(page.locator("#drawer .alert-message")).to_have_text(message)
    expect(page.locator("#drawer")).to_contain_text(HOSTILE[:50])
    assert page.locator("img[src=x]").count() == 0
    assert page.locator("script").count() == scripts
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
