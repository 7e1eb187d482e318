"""One test run: its private directory, and the servers that its processes share."""

import contextlib
import fcntl
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

RUN_DIRECTORY = "V2V_TEST_RUN"
READY_WITHIN_S = 60
STOPPED_WITHIN_S = 15
PORTS = range(12_000, 32_000)
KEEPER = Path(__file__).with_name("keeper.py")


class ServerError(RuntimeError):
    """A server or a browser that the tests need is missing or does not start; the sentence says what to do."""


@dataclass(frozen=True)
class Server:
    """A running server: where it answers, what it is, and the process ids of itself and of its keeper."""

    url: str
    version: str
    pid: int
    keeper_pid: int


class Run:
    """A test run. Its first process owns it; the workers of pytest-xdist find it in the environment.

    Everything that a server of the run writes lies under `directory`, which goes when the run ends.
    """

    def __init__(self) -> None:
        inherited = os.environ.get(RUN_DIRECTORY)
        self.owned = inherited is None
        self.directory = Path(inherited or tempfile.mkdtemp(prefix="v2v-tests-"))
        if self.owned:
            self.directory.chmod(0o711)  # a server that runs as another user passes through it
            self._alive = (self.directory / "alive").open("wb")
            fcntl.flock(self._alive, fcntl.LOCK_EX)
            os.environ[RUN_DIRECTORY] = str(self.directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Stop the servers and remove what they wrote, when this process owns the run."""
        if not self.owned:
            return
        os.environ.pop(RUN_DIRECTORY, None)
        self._alive.close()
        deadline = time.monotonic() + STOPPED_WITHIN_S
        while any(self.directory.glob("*/pid")) and time.monotonic() < deadline:
            time.sleep(0.02)
        shutil.rmtree(self.directory, ignore_errors=True)

    def shared(self, name: str, start: "Callable[[Run], Server]") -> Server:
        """The run's one server of this name; the first process to ask starts it, the others wait."""
        with self.locked(name):
            record = self.directory / f"{name}.json"
            if not record.exists():
                record.write_text(json.dumps(asdict(start(self))))
            return Server(**json.loads(record.read_text()))

    def started(self) -> list[Server]:
        """The shared servers so far."""
        return [Server(**json.loads(record.read_text())) for record in sorted(self.directory.glob("*.json"))]

    @contextlib.contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Hold what only one process of the run may do at a time."""
        with (self.directory / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def launch(
        self,
        command: Sequence[str | Path],
        *,
        directory: Path,
        url: str,
        version: str,
        ready: Callable[[], bool],
        stop_signal: int,
        user: str | None = None,
        group: int | None = None,
    ) -> Server:
        """Start a server under a keeper and wait until it is ready, or raise `ServerError` with the end of its log."""
        task = {
            "command": [str(part) for part in command],
            "directory": str(directory),
            "alive": str(self.directory / "alive"),
            "stop_signal": stop_signal,
            "user": user,
            "group": group,
        }
        keeper = subprocess.Popen(
            [sys.executable, "-S", str(KEEPER), json.dumps(task)],
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # so that Ctrl-C reaches the tests alone
        )
        deadline = time.monotonic() + READY_WITHIN_S
        while not ready():
            if keeper.poll() is not None or time.monotonic() > deadline:
                keeper.terminate()
                log = (directory / "log").read_text(errors="replace") if (directory / "log").exists() else ""
                raise ServerError(f"{command[0]} did not start. The end of its log:\n{log[-2000:]}")
            time.sleep(0.02)
        return Server(url, version, int((directory / "pid").read_text()), keeper.pid)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on, and that no other test of the run is given.

    A server binds its port seconds after it was chosen, and a killed one leaves its port free for a while: had two the
    same, a test would talk to another's server. Below the ports that the kernel gives to outgoing connections.
    """
    ledger = Path(os.environ.get(RUN_DIRECTORY, tempfile.gettempdir())) / "last-port"
    with ledger.open("a+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        port = int(file.read() or random.choice(PORTS))
        while True:
            port = port + 1 if port + 1 in PORTS else PORTS[0]
            if _is_free(port):
                break
        file.truncate(0)
        file.write(str(port))
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def version_of(program: Path) -> str:
    """What the program says when it is asked for its version, with its path."""
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=True)
    return f"{answer.stdout.strip()} ({program})"
