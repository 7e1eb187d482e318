"""Vehicles on a simulated air: they drive, say where they are, text, and now and then hold a drill."""

import itertools
import random
from collections.abc import Sequence
from contextlib import suppress

from radio.link.modem import Air, PtyModem, Simulation, Weather
from radio.link.payloads import Control, Emergency, Hello, Payload, Position, Status, Text
from radio.link.protocol import Link
from radio.link.traffic import Full, Outgoing, Priority, Received, Sent
from v2v.client.simulation.truck import Truck

BASE = 1
FIRST_ADDRESS = 0x101
WEATHER = Weather(loss=0.05, doubled=0.01, bit_errors=0.0001, delay_s=0.15, rssi=-92, snr=6.0)
_REPORT_S = 3.0
_HELLO_S = 300.0
_TEXT_S = (60.0, 240.0)
_DRILL_S = (300.0, 900.0)
_DRILL_LASTS_S = (60.0, 180.0)
_TEXTS = (
    "At the well, all quiet",
    "Dune road is passable",
    "Two hours to the depot",
    "Water is enough for today",
    "Sand on the track, going round",
    "Load is secured",
)
_DRILLS: tuple[Emergency, ...] = (
    Emergency(type="breakdown", severity="medium", content="Drill: stuck in the sand", drill=True),
    Emergency(type="medical", severity="high", content="Drill: driver needs help", drill=True),
)


class SimulatedRadio:
    """One vehicle's radio; `step` is called on the air's thread, with seconds of one clock."""

    def __init__(self, vehicle_id: str, address: int, *, seed: int) -> None:
        self._random = random.Random(f"{seed}/{vehicle_id}")  # noqa: S311 - a seed is the point
        self._truck = Truck(vehicle_id, seed=seed)
        self.link = Link(address=address, random=self._random, first_sequence=self._random.randrange(0x1_0000))
        self._keys = itertools.count(1)
        self._due: dict[str, float] = {}
        self._driven_at: float | None = None
        self._drill: tuple[int, int | None] | None = None  # its key, and the number that it was sent under

    def step(self, now: float) -> None:
        """Answer what came; do what is due."""
        for event in self.link.take_events():
            if isinstance(event, Received):
                self.link.acknowledge(event, Status.ACCEPTED, now)
            elif isinstance(event, Sent) and self._drill is not None and event.key == self._drill[0]:
                self._drill = (event.key, event.sequence)
        if self._driven_at is None:
            self._begin(now)
        elif now - self._driven_at >= 1.0:
            self._truck.advance(now - self._driven_at)
            self._driven_at = now
        for name in [name for name, due in self._due.items() if due <= now]:
            self._due[name] = now + self._do(name)

    def _begin(self, now: float) -> None:
        self.link.opened(now)
        self._driven_at = now
        self._due = {
            "hello": now + self._random.uniform(0, 3),
            "position": now + self._random.uniform(3, 6),
            "text": now + self._random.uniform(10, 60),
            "drill": now + self._random.uniform(60, _DRILL_S[1]),
        }

    def _do(self, name: str) -> float:
        """Do it; in how many seconds it is due again."""
        match name:
            case "hello":
                self._send(Hello(vehicle_id=self._truck.vehicle_id), Priority.RELIABLE)
                return _HELLO_S
            case "position":
                self._send(self._position(), Priority.BACKGROUND, to_all=True)
                return _REPORT_S * self._random.uniform(0.8, 1.2)
            case "text":
                self._send(Text(content=self._random.choice(_TEXTS)), Priority.RELIABLE)
                return self._random.uniform(*_TEXT_S)
        return self._drill_turn()

    def _drill_turn(self) -> float:
        if self._drill is None:
            self._drill = (self._send(self._random.choice(_DRILLS), Priority.ALERT), None)
            return self._random.uniform(*_DRILL_LASTS_S)
        _, sequence = self._drill
        if sequence is not None:
            self._send(Control(sequence=sequence, status=Status.CANCELLED), Priority.ALERT)
        self._drill = None
        return self._random.uniform(*_DRILL_S)

    def _position(self) -> Position:
        lat, lng = self._truck.position
        return Position(lat=lat, lng=lng, speed=self._truck.speed, heading=self._truck.heading)

    def _send(self, payload: Payload, priority: Priority, *, to_all: bool = False) -> int:
        key = next(self._keys)
        recipient = None if to_all else BASE
        item = Outgoing(key=key, payload=payload, recipient=recipient, priority=priority, wants_ack=not to_all)
        with suppress(Full):  # nobody answers: the next one is newer anyway
            self.link.offer(item)
        return key


def simulate(modem: PtyModem, vehicle_ids: Sequence[str], *, seed: int = 0) -> Simulation:
    """Put the vehicles on the air with the modem, on a thread of its own, until it is closed."""
    air = Air(WEATHER, seed)
    air.join(modem)
    radios = [
        SimulatedRadio(vehicle_id, FIRST_ADDRESS + number, seed=seed) for number, vehicle_id in enumerate(vehicle_ids)
    ]
    for radio in radios:
        air.join(radio.link)

    def step(now: float) -> None:
        for radio in radios:
            radio.step(now)

    return Simulation(air, step)
