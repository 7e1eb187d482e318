"""The alarm: until somebody takes it, in one tab, and never silent without saying so."""

from playwright.sync_api import Page, expect

from tests.browser.console.conftest import AddTruck, OpenConsole, log_in
from tests.browser.console.desk import Desk
from tests.servers import chromium
from tests.servers.v2v import V2VServer

NEVER_UNASKED = (
    "--autoplay-policy=document-user-activation-required",
    "--disable-features=MediaEngagementBypassAutoplayPolicies,PreloadMediaEngagementData",
)
# To look at a page through Playwright counts as a touch; so the page itself tells what its sound does.
TELL_SOUND = """
new MutationObserver((changes) => {
  for (const { target } of changes) if (target.id === "sound") console.log(`sound ${target.dataset.state}`);
}).observe(document, { subtree: true, attributes: true, attributeFilter: ["data-state"] });
"""


def touch(page: Page) -> None:
    """What lets a page sound."""
    page.locator("#tab-vehicles").click()


def state_of(page: Page) -> str | None:
    """How the sound stands."""
    return page.locator("#sound").get_attribute("data-state")


def test_the_alarm_sounds_until_another_dispatcher_takes_it(
    open_console: OpenConsole, add_truck: AddTruck, desk: Desk
) -> None:
    truck = add_truck()
    page = open_console()
    sound = page.locator("#sound")
    expect(sound).to_have_attribute("data-state", "quiet")
    touch(page)
    alert_id = truck.call_for_help()
    expect(sound).to_have_attribute("data-state", "sounding")
    desk.do("alert_ack", alertId=alert_id)
    expect(sound).to_have_attribute("data-state", "quiet")


def test_it_sounds_in_one_tab_and_goes_on_in_the_other_when_that_closes(
    open_console: OpenConsole, add_truck: AddTruck
) -> None:
    truck = add_truck()
    page = open_console()
    tab = page.context.new_page()
    tab.goto(page.url)
    for one in (page, tab):
        touch(one)
    truck.call_for_help()
    page.wait_for_function("() => ['sounding', 'elsewhere'].includes(document.getElementById('sound').dataset.state)")
    first, second = (page, tab) if state_of(page) == "sounding" else (tab, page)  # whoever was faster
    expect(first.locator("#sound")).to_have_attribute("data-state", "sounding")
    expect(second.locator("#sound")).to_have_attribute("data-state", "elsewhere")
    first.goto("about:blank")
    expect(second.locator("#sound")).to_have_attribute("data-state", "sounding")
    tab.close()


def test_muted_is_shown_and_kept(open_console: OpenConsole, add_truck: AddTruck) -> None:
    add_truck().call_for_help()
    page = open_console()
    sound = page.locator("#sound")
    sound.click()
    expect(sound).to_have_attribute("data-state", "muted")
    expect(sound.get_by_text("Muted")).to_be_visible()
    expect(sound).to_have_attribute("aria-pressed", "true")
    page.reload()
    expect(sound).to_have_attribute("data-state", "muted")
    page.keyboard.press("x")
    expect(sound).to_have_attribute("data-state", "sounding")


def test_a_browser_that_keeps_the_sound_off_is_told_of_and_turned_on(
    page: Page, add_truck: AddTruck, console_server: V2VServer, session: str
) -> None:
    add_truck().call_for_help()
    shared = page.context.browser
    assert shared
    # A browser of its own: one that has often played sound for a site lets it begin without a touch.
    fresh = shared.browser_type.launch(executable_path=chromium.required()[0], args=[*chromium.FLAGS, *NEVER_UNASKED])
    silent = fresh.new_page()
    log_in(silent, console_server, session)
    silent.add_init_script(TELL_SOUND)
    with silent.expect_console_message(lambda message: message.text == "sound blocked"):
        silent.goto(console_server.url)
    hint = silent.locator("#sound-hint")
    expect(hint).to_be_visible()
    expect(hint).to_contain_text("The browser keeps the sound off")
    hint.click()
    expect(hint).to_be_hidden()
    expect(silent.locator("#sound")).to_have_attribute("data-state", "sounding")
    fresh.close()
