"""The replay page in a browser, with two vehicles that drove, stood and fell silent."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.console.conftest import log_in
from tests.browser.console.test_hands_and_eyes import PHONE, violations
from tests.servers.v2v import V2VServer

FAST, SLOW = "beta-00017", "beta-00018"  # of a fleet whose alerts stand on no other test's console
START = 1_795_600_800_000  # 2026-11-25 10:00 UTC, 14:00 by the fleet's clocks
MINUTE = 60_000
END = START + 30 * MINUTE
LINK = f"/replay/?vehicles={FAST},{SLOW}&from=2026-11-25T10:00:00Z&to=2026-11-25T10:30:00Z"

# FAST drives north at 20 m/s, stands from the 10th to the 15th minute, is silent until the 20th, and drives on.
# SLOW drives east at 5 m/s. FAST calls for help in the 5th minute and is called in the 22nd.
FILL = f"""
from datetime import timedelta
from v2v.alerts.models import Alert
from v2v.calls.models import CallSession
from v2v.protocol.epoch import moment
from v2v.tracking.models import Position
from v2v.vehicles.models import Vehicle
start = moment({START})
fast, slow = (Vehicle.objects.get(vehicle_id=name) for name in ("{FAST}", "{SLOW}"))
def drove(vehicle, at_s, north_m, east_m, speed):
    at = start + timedelta(seconds=at_s)
    return Position(vehicle=vehicle, fleet_id=vehicle.fleet_id, recorded_at=at, received_at=at, cell=1, source="socket",
                    lat=25.2 + north_m / 111195, lng=55.27 + east_m / 100600, speed=speed,
                    heading=0 if vehicle is fast else 90)
rows = [drove(slow, s, 0, 5 * s, 5) for s in range(0, 1800, 5)]
rows += [drove(fast, s, 20 * min(s, 600), 0, 20 if s < 600 else 0) for s in range(0, 900, 5)]
rows += [drove(fast, s, 12_000 + 20 * (s - 1200), 0, 20) for s in range(1200, 1800, 5)]
Position.objects.bulk_create(rows)
at = start + timedelta(minutes=5)
Alert.objects.create(fleet=fast.fleet, sender=fast, client_id="replayed", via="ws", type="crash", cause_code=2,
    severity="critical", message="Two cars", lat=25.254, lng=55.27, detected_at=at, stored_at=at,
    state="resolved", disposition="valid", closed_at=at, closed_by="beta_dispatcher")
at = start + timedelta(minutes=22)
CallSession.objects.create(fleet=fast.fleet, caller_vehicle=fast, caller_device="d", media="audio", state="missed",
    end_reason="timeout", started_at=at, ring_until=at, ended_at=at, caller_seen_at=at)
"""

OpenReplay = Callable[..., Page]


@pytest.fixture(scope="module")
def session(console_server: V2VServer) -> str:
    return console_server.login("beta_dispatcher")


@pytest.fixture(scope="module")
def filled(console_server: V2VServer) -> None:
    console_server.shell(FILL)


@pytest.fixture
def open_replay(page: Page, console_server: V2VServer, session: str, filled: None) -> OpenReplay:
    """Opens a replay and waits until it is loaded."""

    def opened(path: str = LINK) -> Page:
        log_in(page, console_server, session)
        page.goto(console_server.url + path)
        expect(page.locator("#replay")).to_have_attribute("data-loaded", "yes")
        return page

    return opened


def row(page: Page, vehicle_id: str) -> Any:
    return page.locator(f'.replay-vehicle[data-vehicle-id="{vehicle_id}"]')


def time_of(page: Page) -> int:
    return int(page.locator("#replay-time").input_value())


def place_of(page: Page, vehicle_id: str) -> dict[str, float] | None:
    """Where its marker is drawn, once what is under way has been drawn."""
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    place: dict[str, float] | None = page.evaluate("id => v2v.placeOf(id)", vehicle_id)
    return place


def seek(page: Page, minutes: float) -> None:
    page.locator("#replay-time").fill(str(round(START + minutes * MINUTE)))


def test_playing_moves_the_clock_and_pausing_holds_it(open_replay: OpenReplay) -> None:
    page = open_replay()
    expect(page.locator("#replay-clock")).to_have_text("25 Nov, 14:00:00")
    page.get_by_label("Speed").select_option("120")
    page.get_by_role("button", name="Play", exact=True).click()
    page.wait_for_function("start => +document.getElementById('replay-time').value > start + 60000", arg=START)
    expect(row(page, FAST).locator("[data-part=speed]")).to_have_text("72 km/h")
    page.get_by_role("button", name="Pause").click()
    held = time_of(page)
    # Two more frames: what had been under way is over.
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert time_of(page) == held
    expect(page).to_have_url(re.compile(r"#at=\d+&speed=120$"))


def test_at_the_end_it_stops_and_begins_again(open_replay: OpenReplay) -> None:
    page = open_replay(f"{LINK}#at={END - 1000}&speed=120")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    page.wait_for_function("end => +document.getElementById('replay-time').value === end", arg=END)
    page.keyboard.press(" ")
    page.wait_for_function("end => +document.getElementById('replay-time').value < end - 600000", arg=END)


def test_each_vehicle_is_told_in_words_at_each_moment(open_replay: OpenReplay) -> None:
    page = open_replay()
    fast = row(page, FAST)
    seek(page, 5)
    expect(fast).to_contain_text("72 km/h")
    expect(fast.locator("[data-part=distance]")).to_have_text("6.0 km")
    expect(fast.locator("[data-part=state]")).to_have_text("Drives")
    expect(row(page, SLOW).locator("[data-part=distance]")).to_have_text("1.5 km")
    seek(page, 12)
    expect(fast.locator("[data-part=state]")).to_have_text("Stands")
    expect(fast.locator("[data-part=distance]")).to_have_text("12 km")
    seek(page, 17.5)
    expect(fast.locator("[data-part=state]")).to_have_text("Silent since 14:14:55")
    expect(fast.locator("[data-part=speed]")).to_have_text("\N{EN DASH}")
    seek(page, 25)
    expect(fast.locator("[data-part=distance]")).to_have_text("18 km")


def test_markers_move_with_the_clock_and_wait_where_nothing_is_known(open_replay: OpenReplay) -> None:
    page = open_replay()
    seek(page, 2)
    first = place_of(page, FAST)
    seek(page, 8)
    second = place_of(page, FAST)
    assert first
    assert second
    assert second["y"] < first["y"] - 20  # northward
    seek(page, 16)
    silent = place_of(page, FAST)
    seek(page, 19.5)
    assert place_of(page, FAST) == silent


TRACK = """async ({start}) => {
  const { decoded } = await import("/static/js/replay/columns.js");
  const { Track } = await import("/static/js/replay/track.js");
  const track = new Track({ vehicleId: "one" }, {});
  const near = (value) => Math.round(value * 1e9) / 1e9;
  const none = [-1, -1, -1];
  track.add(decoded({
    start, ts: [0, 5000], lat: [0, 1000], lng: [179999000, 1000], speed: [-1, 123], heading: [-1, 90],
  }));
  track.add(decoded({
    start, ts: [10000, 61000, 5000], lat: [2000, 1000, 0], lng: [-179999000, 1000, 0], speed: none, heading: none,
  }));
  track.add(decoded({ start, ts: [81000], lat: [200000], lng: [-179998000], speed: [-1], heading: [-1] }));
  track.finish();
  const at = (ms) => track.at(start + ms);
  return {
    before: at(-1).state, count: track.count, first: track.first - start, last: track.last - start,
    xs: [...track.x.slice(0, 3)].map(near), half: near(at(2500).x), speed: Math.round(track.speed[1] * 10),
    gap: [at(30000).state, near(at(30000).x), near(at(60000).x)], silent: at(200000).state,
    gapCounts: track.distance[3] > track.distance[2], driveCounts: track.distance[2] > track.distance[1],
    leapCounts: track.distance[5] > track.distance[4],
  };
}"""


def test_a_track_is_decoded_joins_over_the_date_line_and_never_fills_a_gap(open_replay: OpenReplay) -> None:
    page = open_replay()
    found = page.evaluate(TRACK, {"start": START})
    assert (found["before"], found["count"], found["first"], found["last"]) == ("before", 6, 0, 81_000)
    west, middle, east = found["xs"]
    assert west < middle < east
    assert east - middle < 1e-5  # not once round the world
    assert found["half"] == pytest.approx((west + middle) / 2, abs=2e-9)
    assert found["speed"] == 123
    assert found["gap"] == ["silent", east, east]
    assert found["silent"] == "silent"
    assert (found["driveCounts"], found["gapCounts"], found["leapCounts"]) == (True, False, False)


def test_the_time_line_is_scrubbed_by_mouse_and_its_marks_are_met_exactly(open_replay: OpenReplay) -> None:
    page = open_replay()
    box = page.locator("#replay-canvas").bounding_box()
    assert box
    width = box["width"] - 20
    page.mouse.move(box["x"] + 10 + width / 2, box["y"] + 60)
    page.mouse.down()
    assert abs(time_of(page) - (START + 15 * MINUTE)) < 10_000
    page.mouse.move(box["x"] + 10 + width * 0.8, box["y"] + 60)
    page.mouse.up()
    assert abs(time_of(page) - (START + 24 * MINUTE)) < 10_000
    page.mouse.click(box["x"] + 10 + width * 5 / 30 + 4, box["y"] + 12)
    assert time_of(page) == START + 5 * MINUTE
    page.mouse.move(box["x"] + 10 + width * 22 / 30, box["y"] + 12)
    expect(page.locator("#replay-hover")).to_have_text(f"14:22:00 {FAST} called dispatch: missed")


def test_everything_is_worked_by_keyboard(open_replay: OpenReplay) -> None:
    page = open_replay()
    page.keyboard.press("n")
    assert time_of(page) == START + 5 * MINUTE
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowLeft")
    assert time_of(page) == START + 5 * MINUTE + 10_000 - 60_000
    page.keyboard.press("n")
    page.keyboard.press("n")
    assert time_of(page) == START + 22 * MINUTE
    page.keyboard.press("n")
    expect(page.locator("#replay-state")).to_have_text("No later moment")
    page.keyboard.press("p")
    assert time_of(page) == START + 5 * MINUTE
    page.keyboard.press("+")
    expect(page.get_by_label("Speed")).to_have_value("60")
    slider = page.get_by_role("slider", name="Time")
    slider.focus()
    page.keyboard.press("PageUp")
    page.keyboard.press("ArrowRight")
    assert time_of(page) == START + 15 * MINUTE + 10_000
    expect(slider).to_have_attribute("aria-valuetext", "25 Nov, 14:15:10")
    page.keyboard.press(" ")
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    page.keyboard.press(" ")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Play or pause")


def test_space_on_a_button_presses_it_and_plays_nothing(open_replay: OpenReplay) -> None:
    page = open_replay()
    button = page.get_by_role("button", name=f"Follow {FAST}")
    button.focus()
    page.keyboard.press(" ")
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()


def test_who_is_followed_stays_in_view(open_replay: OpenReplay) -> None:
    page = open_replay()
    page.get_by_role("button", name=f"Follow {FAST}").click()
    expect(row(page, FAST)).to_have_attribute("aria-current", "true")
    page.get_by_label("Speed").select_option("120")
    page.keyboard.press("Escape")
    page.keyboard.press(" ")
    page.wait_for_function("start => +document.getElementById('replay-time').value > start + 300000", arg=START)
    page.keyboard.press(" ")
    expect(page).to_have_url(re.compile(f"follow={FAST}$"))
    size = page.locator("#map").bounding_box()
    place = place_of(page, FAST)
    assert size
    assert place
    assert 0.3 * size["height"] < place["y"] < 0.7 * size["height"]  # it came 6 km, more than the map shows


def test_a_moment_of_the_list_is_gone_to_and_opened(open_replay: OpenReplay) -> None:
    page = open_replay()
    entries = page.locator(".replay-entry")
    expect(entries).to_have_count(2)
    entries.first.get_by_role("button").click()
    assert time_of(page) == START + 5 * MINUTE
    expect(entries.first).to_have_attribute("aria-current", "true")
    page.get_by_label("Calls").uncheck()
    expect(entries).to_have_count(1)
    entries.first.get_by_role("link").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Crash")
    page.get_by_role("link", name="Replay the 15 minutes round it").click()
    expect(page.locator("#replay")).to_have_attribute("data-loaded", "yes")
    expect(page.locator("#replay-clock")).to_have_text("25 Nov, 14:05:00")


def test_a_link_shows_the_same_moment_again(open_replay: OpenReplay) -> None:
    page = open_replay(f"{LINK}#at={START + 12 * MINUTE}&speed=10&follow={FAST}")
    expect(page.locator("#replay-clock")).to_have_text("25 Nov, 14:12:00")
    expect(page.get_by_label("Speed")).to_have_value("10")
    expect(page.get_by_role("button", name=f"Follow {FAST}")).to_have_attribute("aria-pressed", "true")


def test_vehicles_and_times_are_chosen_and_stand_in_the_address(open_replay: OpenReplay) -> None:
    page = open_replay()
    page.get_by_label("Add a vehicle").press_sequentially("beta-0001")
    expect(page.locator("#replay-suggested option")).to_have_count(10)
    page.get_by_label("Add a vehicle").fill("beta-00019")
    page.get_by_role("checkbox", name=SLOW).uncheck()
    page.get_by_role("button", name="Show", exact=True).click()
    times = "from=2026-11-25T14%3A00&to=2026-11-25T14%3A30"
    expect(page).to_have_url(re.compile(rf"\?{times}&vehicles={FAST}%2Cbeta-00019(#|$)"))
    expect(page.locator(".replay-vehicle")).to_have_count(2)
    page.get_by_text("Last hour").click()
    expect(page).to_have_url(re.compile(rf"\?span=hour&vehicles={FAST}%2Cbeta-00019(#|$)"))


def test_a_silent_time_says_what_to_do(open_replay: OpenReplay) -> None:
    page = open_replay(f"/replay/?vehicles={FAST}&from=2026-11-20T10:00:00Z&to=2026-11-20T11:00:00Z")
    expect(page.get_by_text("None of them reported")).to_be_visible()
    expect(page.get_by_text("Nothing happened to these vehicles in this time.")).to_be_visible()


def test_what_fails_to_load_is_told_and_tried_again(
    page: Page, console_server: V2VServer, session: str, filled: None, page_errors: list[str]
) -> None:
    log_in(page, console_server, session)
    page.route("**/replay/track/**", lambda route: route.abort())
    page.goto(console_server.url + LINK)
    fault = page.locator("#replay-fault")
    expect(fault).to_contain_text("the server does not answer")
    page.unroute("**/replay/track/**")
    fault.get_by_role("button", name="Try again").click()
    expect(page.locator("#replay")).to_have_attribute("data-loaded", "yes")
    expect(fault).to_be_hidden()
    page_errors.clear()  # the browser logs each request that fails


def test_what_is_shown_is_downloaded(open_replay: OpenReplay) -> None:
    page = open_replay()
    for name in ("GPX", "CSV", "GeoJSON"):
        with page.expect_download() as download:
            page.get_by_role("link", name=name, exact=True).click()
        text = download.value.path().read_text()
        assert FAST in text
        assert SLOW in text
    assert len(json.loads(text)["features"]) == 360 + 180 + 120


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing(open_replay: OpenReplay, page: Page, theme: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    open_replay(f"{LINK}#at={START + 12 * MINUTE}&follow={FAST}")
    page.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
    assert violations(page) == []


def test_on_a_phone_everything_fits_and_is_worked_by_touch(
    browser: Browser, console_server: V2VServer, session: str, filled: None
) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True, locale="en-GB")
    page = context.new_page()
    log_in(page, console_server, session)
    page.goto(console_server.url + LINK)
    expect(page.locator("#replay")).to_have_attribute("data-loaded", "yes")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    page.locator("#replay-time").scroll_into_view_if_needed()
    box = page.locator("#replay-canvas").bounding_box()
    assert box
    page.touchscreen.tap(box["x"] + 10 + (box["width"] - 20) / 3, box["y"] + 50)
    assert abs(time_of(page) - (START + 10 * MINUTE)) < 30_000
    page.get_by_role("button", name="Play", exact=True).tap()
    page.wait_for_function("start => +document.getElementById('replay-time').value > start + 630000", arg=START)
    assert violations(page) == []
    context.close()
