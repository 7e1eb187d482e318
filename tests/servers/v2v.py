"""Our own server as a process of its own, on a free port, with a database and vehicles of its own."""

import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode

from prometheus_client.parser import text_string_to_metric_families

from tests.servers.prepare import PASSWORD
from tests.servers.run import STOPPED_WITHIN_S, Run, Server, free_port

ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count()


@dataclass
class V2VServer:
    """A running server: `url` of its pages, `ws_url` of its sockets, its process id, and who may come in."""

    url: str
    ws_url: str
    pid: int
    directory: Path
    environment: dict[str, str]
    tokens: dict[str, dict[str, str]]
    _server: Server
    _fresh: dict[str, Iterator[tuple[str, str]]] = field(default_factory=dict)

    def vehicle(self, fleet: str = "alpha") -> tuple[str, str]:
        """The id and the token of a vehicle that no other test has."""
        left = self._fresh.setdefault(fleet, iter(self.tokens[fleet].items()))
        return next(left)

    def login(self, user: str) -> str:
        """Log the user in as the page does; the Cookie header of the session."""
        jar = CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        browser.open(f"{self.url}/login/", timeout=10).read()
        form = {"username": user, "password": PASSWORD, "csrfmiddlewaretoken": _cookie(jar, "csrftoken")}
        request = urllib.request.Request(f"{self.url}/login/", urlencode(form).encode(), {"Referer": self.url})
        browser.open(request, timeout=10).read()
        return f"sessionid={_cookie(jar, 'sessionid')}"

    def manage(self, *arguments: str) -> str:
        """Run a management command on the server's database; what it printed."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=True
        )
        return done.stdout

    def shell(self, code: str) -> str:
        """Run Python on the server's database, in a process of its own; what it printed."""
        return self.manage("shell", "-v0", "-c", code).strip()

    def log(self) -> str:
        """What the server has logged so far."""
        return (self.directory / "log").read_text()

    def metrics(self) -> dict[str, float]:
        """Every sample by its name, those with the same name added up."""
        found: defaultdict[str, float] = defaultdict(float)
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:
            for family in text_string_to_metric_families(answer.read().decode()):
                for sample in family.samples:
                    found[sample.name] += sample.value
        return dict(found)

    def stop(self) -> None:
        """Stop it and remove what it wrote."""
        os.kill(self._server.keeper_pid, signal.SIGTERM)


def start(run: Run, *, database_url: str = "", **settings: str) -> V2VServer:
    """Prepare and start a server; `settings` are environment variables that differ from the defaults."""
    directory = run.directory / f"v2v-{os.getpid()}-{next(_numbers)}"
    directory.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    environment |= {
        "ENV_FILE": "",
        "VAR_DIR": str(directory),
        "DATABASE_URL": database_url,
        "REDIS_URL": "",
        "SECRET_KEY": "of-a-server-under-test-0123456789-0123456789-0123456789-0123",
        "SECURE_COOKIES": "0",
        "PORT": str(free_port()),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": str(ROOT),
        **settings,
    }
    prepared = subprocess.run(
        [sys.executable, "-m", "tests.servers.prepare"],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert prepared.returncode == 0, prepared.stderr
    return _serve(run, directory, environment, json.loads(prepared.stdout))


def start_beside(run: Run, server: V2VServer, **settings: str) -> V2VServer:
    """Start another server process with the database and the Redis of one that runs; vehicles are shared out once."""
    directory = run.directory / f"v2v-{os.getpid()}-{next(_numbers)}"
    directory.mkdir()
    environment = {**server.environment, "PORT": str(free_port()), **settings}
    beside = _serve(run, directory, environment, server.tokens)
    beside._fresh = server._fresh
    return beside


def start_again(run: Run, server: V2VServer) -> V2VServer:
    """Start a server that has ended once more, with what it had stored."""
    deadline = time.monotonic() + STOPPED_WITHIN_S
    while (server.directory / "pid").exists():
        assert time.monotonic() < deadline, "the server did not end"
        time.sleep(0.05)
    return _serve(run, server.directory, server.environment, server.tokens)


def _serve(run: Run, directory: Path, environment: dict[str, str], tokens: dict[str, dict[str, str]]) -> V2VServer:
    port = int(environment["PORT"])
    command = [
        "env",
        "--ignore-environment",
        f"--chdir={ROOT}",
        *(f"{key}={value}" for key, value in environment.items()),
    ]
    server = run.launch(
        [*command, sys.executable, "manage.py", "serve"],
        directory=directory,
        url=f"http://127.0.0.1:{port}",
        version="V2V",
        ready=lambda: _answers(port),
        stop_signal=signal.SIGTERM,
    )
    return V2VServer(server.url, f"ws://127.0.0.1:{port}", server.pid, directory, environment, tokens, server)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/login/")
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _cookie(jar: CookieJar, name: str) -> str:
    return next(cookie.value or "" for cookie in jar if cookie.name == name)
