"""Vehicles that behave, and how long the server takes to answer them while others do not."""

import statistics
import threading
import time
from contextlib import ExitStack
from typing import Self

from tests.faults.peer import heartbeat_s, vehicle_peer
from tests.servers.v2v import V2VServer

_EVERY_S = 0.05  # between the heartbeats of all of them; each one alone stays under its limit of 5 a second


class Pulse:
    """Beats on a thread as long as the `with` block runs."""

    def __init__(self, server: V2VServer, vehicles: list[tuple[str, str]]) -> None:
        self._server = server
        self._vehicles = vehicles
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)
        self._begun = threading.Event()
        self.seconds: list[float] = []

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._begun.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(20)
        assert len(self.seconds) > 10, "those who behave were not served"

    @property
    def p99_ms(self) -> float:
        return statistics.quantiles(self.seconds, n=100)[98] * 1000

    def _beat(self) -> None:
        with ExitStack() as stack:
            peers = [stack.enter_context(vehicle_peer(self._server, who, source="127.0.0.2")) for who in self._vehicles]
            self._begun.set()
            while not self._over.is_set():
                for peer in peers:
                    self.seconds.append(heartbeat_s(peer))
                    time.sleep(_EVERY_S)
