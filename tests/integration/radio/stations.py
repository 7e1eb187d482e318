"""Radios of vehicles on a simulated air, whose modem is a pseudo-terminal that a real server has open."""

import itertools
import queue
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TypeVar

from radio.link.modem import Air, PtyModem, Simulation, Weather
from radio.link.payloads import Control, Emergency, Hello, Payload, Status, Text
from radio.link.protocol import Link
from radio.link.traffic import Acked, Failed, Outgoing, Priority, Received

PayloadT = TypeVar("PayloadT", Control, Emergency, Text)
WAIT_S = 40.0  # on two busy cores
BASE = 1
_addresses = itertools.count(0x100)


class Station:
    """One radio. It acknowledges what it is sent, unless it is `deaf`."""

    def __init__(self, waves: "Waves", address: int, *, first_sequence: int = 0) -> None:
        self.address = address
        self.link = Link(address=address, random=Random(address), air_bits_per_s=100_000, first_sequence=first_sequence)
        self.link.opened(time.monotonic())
        self.is_deaf = False
        self.heard: queue.Queue[Received] = queue.Queue()
        self._waves = waves
        self._keys = itertools.count(1)
        self._became: dict[int, bool] = {}
        waves.join(self)

    def send(self, payload: Payload, *, recipient: int | None = BASE, wants_ack: bool = True) -> int:
        """The key, for `acked`."""
        key = next(self._keys)
        priority = Priority.ALERT if isinstance(payload, Emergency) else Priority.RELIABLE
        item = Outgoing(key=key, payload=payload, recipient=recipient, priority=priority, wants_ack=wants_ack)
        self._waves.on_air(lambda: self.link.offer(item))
        return key

    def acked(self, key: int) -> bool:
        """Wait for what became of it: whether it was acknowledged."""
        deadline = time.monotonic() + WAIT_S
        while key not in self._became:
            assert time.monotonic() < deadline, f"radio {self.address:04X} heard nothing of its frame {key}"
            time.sleep(0.01)
        return self._became[key]

    def answered(self, key: int) -> bool:
        """Whether that is known by now."""
        return key in self._became

    def hello(self, vehicle_id: str) -> None:
        assert self.acked(self.send(Hello(vehicle_id=vehicle_id)))

    def next(self, kind: type[PayloadT]) -> PayloadT:
        """Wait for the next payload of a kind that the bridge sent to it."""
        deadline = time.monotonic() + WAIT_S
        while True:
            received = self.heard.get(timeout=max(0.01, deadline - time.monotonic()))
            if isinstance(received.payload, kind):
                return received.payload

    def heard_texts(self) -> list[str]:
        """The texts that came and that nobody has asked for yet."""
        payloads = []
        while not self.heard.empty():
            payloads.append(self.heard.get().payload)
        return [payload.content for payload in payloads if isinstance(payload, Text)]

    def step(self, now: float) -> None:
        for event in self.link.take_events():
            if isinstance(event, Received):
                if event.recipient != self.address or self.is_deaf:
                    continue
                self.heard.put(event)
                self.link.acknowledge(event, Status.ACCEPTED, now)
            elif isinstance(event, Acked | Failed):
                self._became[event.key] = isinstance(event, Acked)


class Waves:
    """The air, with the bridge's modem on it."""

    def __init__(self, port: Path) -> None:
        self.modem = PtyModem(port)
        self.air = Air(Weather(delay_s=0.01), seed=1)
        self.air.join(self.modem)
        self._stations: list[Station] = []
        self._work: queue.Queue[Callable[[], None]] = queue.Queue()
        self._simulation = Simulation(self.air, self._step)

    def station(self, **more: int) -> Station:
        return Station(self, next(_addresses), **more)

    def join(self, station: Station) -> None:
        def join() -> None:
            self._stations.append(station)
            self.air.join(station.link)

        self.on_air(join)

    def on_air(self, work: Callable[[], None]) -> None:
        """Do it on the air's own thread."""
        self._work.put(work)

    def close(self) -> None:
        self._simulation.close()
        self.modem.unplug()

    def _step(self, now: float) -> None:
        while not self._work.empty():
            self._work.get()()
        for station in self._stations:
            station.step(now)
