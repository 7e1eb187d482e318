"""What was answered with 202 is stored, whatever happens to the server that answered."""

import os
import signal
import time
from collections.abc import Callable

from tests.integration.reports.asking import ask, bearer, history
from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import V2VServer

REPORTS = 20


def test_a_server_that_is_killed_after_its_answer_has_lost_nothing_that_redis_holds(
    run: Run, start_server: Callable[..., V2VServer], redis_url: str
) -> None:
    server = start_server(REDIS_URL=f"{redis_url.rpartition('/')[0]}/6", RUN_WRITER="0")
    vehicle_id, token = server.vehicle()
    start = int(time.time() * 1000) - 60_000
    for n in range(REPORTS):
        position = {"lat": 25 + n / 1000, "lng": 55, "ts": start + n * 1000}
        assert ask(server, "POST", "/api/v1/locations", position, **bearer(token)).status == 202
    os.kill(server.pid, signal.SIGKILL)
    server.environment["RUN_WRITER"] = "1"
    again = v2v.start_again(run, server)
    try:
        stored = history(again, vehicle_id, token, count=REPORTS)
    finally:
        again.stop()
    assert [position["ts"] for position in stored] == [start + n * 1000 for n in range(REPORTS)]
