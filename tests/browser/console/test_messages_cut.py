"""A dispatcher and a vehicle talk while the console's connection is cut at each step: nothing is lost or doubled."""

from collections.abc import Callable
from functools import partial

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import log_in
from tests.browser.console.talker import Talker, message, talking, thread_of, write
from tests.cutting import Cut, cutting_proxy
from tests.servers.v2v import V2VServer


def talk(page: Page, talker: Talker, run: int, come_back: Callable[[], object]) -> list[str]:
    """Begins while the console is away, and goes on once it is back. What was said."""
    away, out, live = f"{run} while away", f"{run} from dispatch", f"{run} while there"
    came = [talker.say(away)]
    write(page, out)
    come_back()
    message_id = talker.hear("message", content=out)["messageId"]
    came.append(talker.say(live))
    talker.command("message_read", {"messageId": message_id})
    for each in came:
        talker.hear("message_status", messageId=each, status="read")
    expect(message(page, live).locator(".badge")).to_have_count(0)
    expect(message(page, out).locator(".message-status")).to_have_text("Read")
    return [away, out, live]


@pytest.mark.timeout(120)
def test_nothing_is_lost_or_doubled_wherever_the_connection_is_cut(
    page: Page, console_server: V2VServer, session: str, page_errors: list[str]
) -> None:
    page.add_init_script("Math.random = () => 0")  # comes back at once
    with (
        talking(console_server) as talker,
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(cutting_proxy(console_server.ws_url)) as proxy,
    ):
        url = proxy.url.replace("ws", "http")
        log_in(page, console_server, session)
        page.goto(url + thread_of(talker))
        expect(page.locator("#connection")).to_have_attribute("data-state", "open")
        come_back = partial(portal.call, proxy.opened.set)
        portal.call(proxy.again, None)
        said = talk(page, talker, 0, come_back)
        frames = dict(proxy.frames)
        cuts = [Cut("up", n, where) for n in range(frames["up"]) for where in ("lost", "taken")]
        cuts += [Cut("down", n, "lost") for n in range(frames["down"])]
        assert len(cuts) > 15, "the conversation has become too short to prove anything"
        missed = []
        for run, cut in enumerate(cuts, 1):
            portal.call(proxy.again, cut)
            said += talk(page, talker, run, come_back)
            if not proxy.has_cut:
                missed.append(cut)
        assert len(missed) <= len(cuts) // 4, missed  # the last frames are not always waited for
        shown = page.locator("#thread .message-body").all_inner_texts()
        assert sorted(shown) == sorted(said)
        assert page.locator("#thread-pending .message").count() == 0
    out = [text for text in said if text.endswith("from dispatch")]
    assert [came["content"] for came in talker.messages()] == out
    page_errors.clear()  # the browser logs each connection that was cut
