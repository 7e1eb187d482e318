"""What a call sounds like: the ring, the tone of ringing there, and a voice that comes by the relay alone."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import AddHandset, OpenConsole, log_in
from tests.browser.console.handset import TONE_HERTZ, heard_hertz, with_handset
from tests.servers.coturn import Turn
from tests.servers.v2v import V2VServer

NEAR_HERTZ = 12  # two lines of the page's spectrum
RING, RINGBACK = (587, 740), (440, 480)  # hertz

# Listens to all that the page plays through Web Audio; `loudest` gives hertz, or 0 for silence.
LISTEN = """
const connect = AudioNode.prototype.connect;
const ears = [];
AudioNode.prototype.connect = function (to, ...rest) {
  if (to instanceof AudioDestinationNode) {
    const ear = new AnalyserNode(this.context, { fftSize: 8192, smoothingTimeConstant: 0 });
    connect.call(this, ear);
    ears.push(ear);
  }
  return connect.call(this, to, ...rest);
};
window.loudest = () => {
  let [hertz, most] = [0, -60];
  for (const ear of ears) {
    const levels = new Float32Array(ear.frequencyBinCount);
    ear.getFloatFrequencyData(levels);
    const line = levels.indexOf(Math.max(...levels));
    if (levels[line] > most) [hertz, most] = [(line * ear.context.sampleRate) / ear.fftSize, levels[line]];
  }
  return hertz;
};
"""
RELAY_ONLY = """
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(options) { super({ ...options, iceTransportPolicy: "relay" }); }
};
"""
RELAYED = """
async () => {
  const stats = [...(await window.connection.getStats()).values()];
  const pair = stats.find(({ type, nominated }) => type === "candidate-pair" && nominated);
  return pair && stats.find(({ id }) => id === pair.localCandidateId).candidateType;
}
"""
KEEP_CONNECTION = """
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(options) { super(options); window.connection = this; }
};
"""

pytestmark = pytest.mark.usefixtures("microphone")


def wait_for_tones(page: Page, tones: tuple[int, ...]) -> None:
    """Until each of them has been the loudest."""
    for tone in tones:
        page.wait_for_function(f"() => Math.abs(loudest() - {tone}) < {NEAR_HERTZ}", timeout=15_000)


def test_a_call_is_heard_to_ring_until_it_is_answered(
    page: Page, open_console: OpenConsole, add_handset: AddHandset
) -> None:
    handset = add_handset()
    page.add_init_script(LISTEN)
    open_console()
    page.locator("#tab-vehicles").click()  # a page that nobody has touched may not sound
    handset.call_dispatch()
    wait_for_tones(page, RING)
    page.locator(".incoming-call").get_by_role("button", name="Answer").click()
    expect(page.locator("#call")).to_have_attribute("data-phase", "talking")
    page.wait_for_function("() => loudest() === 0", timeout=15_000)


def test_a_caller_hears_that_it_rings_there(page: Page, open_console: OpenConsole, add_handset: AddHandset) -> None:
    handset = add_handset()
    page.add_init_script(LISTEN)
    open_console(f"/?vehicle={handset.vehicle_id}")
    page.keyboard.press("c")
    expect(page.locator("#call")).to_contain_text("Ringing")
    page.wait_for_function(
        f"() => {list(RINGBACK)}.some((tone) => Math.abs(loudest() - tone) < {NEAR_HERTZ})", timeout=15_000
    )
    handset.take()
    expect(page.locator("#call")).to_have_attribute("data-phase", "talking")
    page.wait_for_function("() => loudest() === 0", timeout=15_000)


@pytest.mark.timeout(120)
def test_who_reaches_the_vehicle_by_the_relay_alone_hears_it(
    page: Page, turn: Turn, start_server: Callable[..., V2VServer]
) -> None:
    server = start_server(TURN_URL=turn.url, TURN_SECRET=turn.secret)
    page.context.grant_permissions(["microphone"], origin=server.url)
    page.add_init_script(KEEP_CONNECTION)
    page.add_init_script(RELAY_ONLY)
    log_in(page, server, server.login("alpha_dispatcher"))
    with with_handset(server) as handset:
        page.goto(f"{server.url}/?vehicle={handset.vehicle_id}")
        expect(page.locator("#connection")).to_have_attribute("data-state", "open")
        page.keyboard.press("c")
        expect(page.locator("#call")).to_contain_text("Ringing")
        handset.take()
        expect(page.locator("#call")).to_have_attribute("data-phase", "talking", timeout=20_000)
        assert heard_hertz(page, TONE_HERTZ) == pytest.approx(TONE_HERTZ, abs=NEAR_HERTZ)
        assert handset.hears_sound()
        assert page.evaluate(RELAYED) == "relay"
