"""How soon a replay can be used, and how smoothly it plays: 20 vehicles for a day at a fix every 5 s, 345,600 fixes.

Run it:  python -m bench.replay [--vehicles 20] [--play 6]

A server of its own on core 0 over a private PostgreSQL; Chromium, without a graphics card, on core 1. Times begin with
the navigation. While it plays at 60 times the speed of life, once the whole map and once following a vehicle, the time
between animation frames is taken in the page, and what the main thread did for each from Chromium's own counters.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from playwright.sync_api import CDPSession, Page, sync_playwright

from bench.server import ROOT, MeasuredServer, measured_server, percentile
from tests.servers import chromium, postgres
from tests.servers.run import Run

STEP_S = 5
DAY_S = 86_400
FRAMES = """seconds => new Promise(done => {
  const deltas = [], began = performance.now();
  let before = null;
  const frame = (now) => {
    if (before !== null) deltas.push(now - before);
    before = now;
    if (performance.now() - began < seconds * 1000) requestAnimationFrame(frame);
    else done(deltas);
  };
  requestAnimationFrame(frame);
})"""


def fill(vehicles: int) -> None:
    """Trucks that wander for a day; prints what the browser needs as JSON. Runs inside Django."""
    import numpy as np
    from django.contrib.auth.models import User
    from django.db import connection
    from django.test import Client
    from django.utils import timezone

    from v2v.fleets.models import Fleet, Membership, Role
    from v2v.tracking.models import Position
    from v2v.vehicles.models import Vehicle
    from v2v.vehicles.services import vehicle_tokens_issue

    chance = np.random.default_rng(7)
    now = timezone.now().replace(microsecond=0)
    fleet = Fleet.objects.create(slug="bench", name="Bench", time_zone="Asia/Dubai")
    vehicle_tokens_issue(prefix="bench-", count=vehicles, fleet=fleet, now=now)
    times = [now - timedelta(seconds=DAY_S - STEP_S * n) for n in range(DAY_S // STEP_S)]
    for vehicle in Vehicle.objects.filter(fleet=fleet):
        heading = np.cumsum(chance.normal(0, 12, len(times))) % 360
        speed = np.clip(15 + np.cumsum(chance.normal(0, 1, len(times))), 3, 25)
        lat = 25.2 + np.cumsum(np.cos(np.radians(heading)) * speed * STEP_S) / 111_195
        lng = 55.3 + np.cumsum(np.sin(np.radians(heading)) * speed * STEP_S) / 100_600
        Position.objects.bulk_create(
            (
                Position(
                    vehicle=vehicle,
                    fleet=fleet,
                    recorded_at=at,
                    received_at=at,
                    lat=float(lat[n]),
                    lng=float(lng[n]),
                    speed=float(speed[n]),
                    heading=float(heading[n]),
                    cell=1,
                    source="socket",
                )
                for n, at in enumerate(times)
            ),
            batch_size=4_000,
        )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # which it does by itself a minute later
    user = User.objects.create_user("bench")
    Membership.objects.create(user=user, fleet=fleet, role=Role.VIEWER)
    client = Client()
    client.force_login(user)
    names = list(Vehicle.objects.filter(fleet=fleet).values_list("vehicle_id", flat=True))
    query = f"?vehicles={','.join(names)}&from={times[0]:%Y-%m-%dT%H:%M:%SZ}&to={now:%Y-%m-%dT%H:%M:%SZ}"
    print(json.dumps({"session": client.cookies["sessionid"].value, "query": query}))  # noqa: T201 - it is read


@contextmanager
def collected() -> Iterator[str]:
    """The static files in one folder, which a server with a DATABASE_URL wants."""
    with tempfile.TemporaryDirectory(prefix="v2v-static-") as folder:
        command = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"]
        subprocess.run(command, cwd=ROOT, env={**os.environ, "STATIC_ROOT": folder}, check=True)  # noqa: S603
        yield folder


@contextmanager
def replay_page(server: MeasuredServer, session: str) -> Iterator[Page]:
    """A page of Chromium on this process's core, signed in."""
    program, node = chromium.required()
    os.environ["PLAYWRIGHT_NODEJS_PATH"] = str(node)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(chromium.FLAGS))
        context = browser.new_context(viewport={"width": 1600, "height": 900}, locale="en-GB")
        url = f"http://127.0.0.1:{server.port}"
        context.add_cookies([{"name": "sessionid", "value": session, "url": url}])
        yield context.new_page()
        browser.close()


def task_s(counters: CDPSession) -> float:
    """What the page's main thread has worked so far, in seconds."""
    metrics = counters.send("Performance.getMetrics")["metrics"]
    return float(next(metric["value"] for metric in metrics if metric["name"] == "TaskDuration"))


def played(page: Page, counters: CDPSession, name: str, seconds: float) -> str:
    """Play, and give the line of the table."""
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press(" ")
    before = task_s(counters)
    deltas = sorted(page.evaluate(FRAMES, seconds))
    work_ms = (task_s(counters) - before) * 1000 / len(deltas)
    page.keyboard.press(" ")
    marks = " / ".join(f"{percentile(deltas, percent):.1f}" for percent in (50, 95, 99))
    return f"| {name} | {len(deltas) / seconds:.0f} | {marks} | {deltas[-1]:.0f} | {work_ms:.1f} |"


def main() -> None:
    """Fill, load, play, print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--vehicles", type=int, default=20)
    options.add_argument("--play", type=float, default=6, help="seconds")
    given = options.parse_args()
    with (
        Run() as run,
        collected() as static,
        measured_server(DATABASE_URL=postgres.start(run).url, SECRET_KEY="x" * 60, STATIC_ROOT=static) as server,
    ):
        code = f"from bench.replay import fill; fill({given.vehicles})"
        filled = json.loads(server.manage("shell", "-v0", "-c", code).splitlines()[-1])
        with replay_page(server, filled["session"]) as page:
            cpu_s = server.cpu_s()
            page.goto(f"http://127.0.0.1:{server.port}/replay/{filled['query']}#speed=60")
            page.locator("#replay[data-loaded]").wait_for(timeout=120_000)
            cpu_s = server.cpu_s() - cpu_s
            usable, loaded = (
                page.evaluate("name => performance.getEntriesByName(name)[0].startTime", f"replay-{name}")
                for name in ("usable", "loaded")
            )
            bytes_ = page.evaluate(
                "() => performance.getEntriesByType('resource').filter(({name}) => name.includes('/replay/track/'))"
                ".reduce((sum, {transferSize}) => sum + transferSize, 0)"
            )
            print(f"usable after {usable / 1000:.2f} s, all there after {loaded / 1000:.2f} s")  # noqa: T201
            print(f"tracks {bytes_ / 1e6:.2f} MB on the wire, {cpu_s:.2f} s of the server's CPU")  # noqa: T201
            print("\n| | frames/s | p50 / p95 / p99 ms | longest ms | main thread a frame, ms |\n|---|---|---|---|---|")  # noqa: T201
            counters = page.context.new_cdp_session(page)
            counters.send("Performance.enable")
            print(played(page, counters, "the whole map", given.play))  # noqa: T201
            page.get_by_role("button", name="Follow").first.click()
            print(played(page, counters, "following one", given.play))  # noqa: T201


if __name__ == "__main__":
    main()
