"""Several server processes on one port: started, started again when one dies, replaced one by one, stopped together."""

import logging
import os
import select
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from prometheus_client.multiprocess import mark_process_dead

_LOOK_EVERY_S = 0.2
_READY_WITHIN_S = 60.0
_STOPPED_WITHIN_S = 15.0  # a server drains for 8 s, then lets what waits be stored
_AGAIN_S = (0.0, 1.0, 2.0, 4.0, 8.0, 15.0)  # before a process that died young is started again
_YOUNG_S = 10.0
log = logging.getLogger(__name__)


def shared_socket(host: str, port: int) -> socket.socket:
    """A socket on a port that others may have, too: the kernel spreads connections over those that listen."""
    shared = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    shared.bind((host, port))
    return shared


@dataclass
class Worker:
    """One process, and our end of the line on which it says that it serves, and by which it sees that we live."""

    process: subprocess.Popen[bytes]
    line: socket.socket
    began: float
    is_buried: bool = False


class Workers:
    """Runs `command` so many times, with `--parent-fd` behind it.

    Each listens for itself once it can serve, so that whoever connects never waits for one that is starting or has
    died. SIGTERM and SIGINT stop all, SIGHUP replaces one after the other, each once the new one serves. Should this
    process be killed, the others stop by themselves.
    """

    def __init__(self, command: Sequence[str], count: int, *, metrics: Path) -> None:
        self._command = command
        self._count = count
        self._metrics = metrics
        self._workers: list[Worker] = []
        self._deaths = [0] * count
        self._due = [0.0] * count
        self._woken = Event()
        self._is_stopping = False
        self._is_replacing = False

    def run(self) -> None:
        """Until all have stopped."""
        self._metrics.mkdir(parents=True, exist_ok=True)
        for left in self._metrics.glob("*.db"):  # of processes that were killed
            left.unlink()
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        signal.signal(signal.SIGHUP, self._replace)
        self._workers = [self._start() for _ in range(self._count)]
        while not self._is_stopping:
            self._woken.wait(_LOOK_EVERY_S)
            self._woken.clear()
            self._start_again()
            if self._is_replacing and not self._is_stopping:
                self._is_replacing = False
                self._replace_all()
        self._stop_all(self._workers)

    def _stop(self, *_: object) -> None:
        self._is_stopping = True
        self._woken.set()

    def _replace(self, *_: object) -> None:
        self._is_replacing = True
        self._woken.set()

    def _start(self) -> Worker:
        ours, theirs = socket.socketpair()
        command = [*self._command, "--parent-fd", str(theirs.fileno())]
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(self._metrics), "WORKERS": "1"}
        process = subprocess.Popen(command, env=environment, pass_fds=[theirs.fileno()])  # noqa: S603 - our own program
        theirs.close()
        log.info("server process %d started", process.pid)
        return Worker(process, ours, time.monotonic())

    def _start_again(self) -> None:
        now = time.monotonic()
        for index, worker in enumerate(self._workers):
            if worker.process.poll() is None:
                continue
            if not worker.is_buried:
                self._bury(worker)
                is_young = now - worker.began < _YOUNG_S
                self._deaths[index] = self._deaths[index] + 1 if is_young else 0
                self._due[index] = now + _AGAIN_S[min(self._deaths[index], len(_AGAIN_S) - 1)]
                log.error("server process %d died with %d", worker.process.pid, worker.process.returncode)
            if now >= self._due[index] and not self._is_stopping:
                self._workers[index] = self._start()

    def _replace_all(self) -> None:
        for index in range(self._count):
            fresh = self._start()
            readable, _, _ = select.select([fresh.line], [], [], _READY_WITHIN_S)
            if not readable or not fresh.line.recv(1):
                log.error("server process %d does not serve: the old ones go on", fresh.process.pid)
                self._stop_all([fresh])
                return
            old, self._workers[index] = self._workers[index], fresh
            self._stop_all([old])
            if self._is_stopping:
                return

    def _stop_all(self, workers: Sequence[Worker]) -> None:
        for worker in workers:
            worker.process.terminate()
        until = time.monotonic() + _STOPPED_WITHIN_S
        for worker in workers:
            try:
                worker.process.wait(max(0.0, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                log.error("server process %d does not end: it is killed", worker.process.pid)
                worker.process.kill()
                worker.process.wait()
            self._bury(worker)

    def _bury(self, worker: Worker) -> None:
        if not worker.is_buried:
            worker.line.close()
            worker.is_buried = True
            mark_process_dead(worker.process.pid, str(self._metrics))  # type: ignore[no-untyped-call]
