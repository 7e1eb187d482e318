"""The plain way to say who is near whom: every pair, one after the other, by the haversine formula."""

import math
from dataclasses import dataclass, field

import numpy as np

from v2v.proximity.engine import Crossings, Deliveries, Positions

Pair = tuple[int, int]


@dataclass(frozen=True)
class Place:
    """Where one vehicle is."""

    lat: float
    lng: float
    fleet: int = 0
    moved: bool = True


def positions_of(world: dict[int, Place]) -> Positions:
    """The columns that the engine takes, from places by slot."""
    slots = sorted(world)
    return Positions(
        slots=np.array(slots, np.int64),
        fleets=np.array([world[slot].fleet for slot in slots], np.int64),
        lat=np.array([world[slot].lat for slot in slots], np.float64),
        lng=np.array([world[slot].lng for slot in slots], np.float64),
        moved=np.array([world[slot].moved for slot in slots], np.bool_),
    )


def haversine_m(a: Place, b: Place) -> float:
    """Metres between two places."""
    phi_a, phi_b = math.radians(a.lat), math.radians(b.lat)
    half_dphi, half_dlam = (phi_b - phi_a) / 2, math.radians(b.lng - a.lng) / 2
    h = math.sin(half_dphi) ** 2 + math.cos(phi_a) * math.cos(phi_b) * math.sin(half_dlam) ** 2
    return 2 * 6_371_008.8 * math.asin(min(1.0, math.sqrt(h)))


def distances_of(world: dict[int, Place]) -> dict[Pair, float]:
    """Metres between all pairs of one fleet."""
    return {
        (a, b): haversine_m(world[a], world[b])
        for a in world
        for b in world
        if a < b and world[a].fleet == world[b].fleet
    }


@dataclass
class Oracle:
    """The engine's rules, told pair by pair."""

    radius_m: float
    exit_radius_m: float
    hold_s: float
    near_since: dict[Pair, float] = field(default_factory=dict)
    apart_since: dict[Pair, float] = field(default_factory=dict)

    def tick(self, world: dict[int, Place], now: float) -> tuple[dict[int, list[int]], set[Pair], set[Pair]]:
        """Senders by receiver, pairs that entered, pairs that exited."""
        distances = distances_of(world)
        told: dict[int, list[int]] = {}
        entered, exited = set(), set()
        for pair, since in list(self.near_since.items()):
            if distances.get(pair, math.inf) > self.exit_radius_m and now - since >= self.hold_s:
                del self.near_since[pair]
                exited.add(pair)
        for (a, b), distance in distances.items():
            if distance > self.radius_m:
                continue
            if world[a].moved:
                told.setdefault(b, []).append(a)
            if world[b].moved:
                told.setdefault(a, []).append(b)
            held_off = now - self.apart_since.get((a, b), -math.inf) < self.hold_s
            if (a, b) not in self.near_since and not held_off:
                self.near_since[a, b] = now
                entered.add((a, b))
        self.apart_since |= dict.fromkeys(exited, now)
        return {receiver: sorted(senders) for receiver, senders in told.items()}, entered, exited

    def forget(self, slot: int) -> None:
        """Drop all that is known of a slot."""
        self.near_since = {pair: since for pair, since in self.near_since.items() if slot not in pair}
        self.apart_since = {pair: since for pair, since in self.apart_since.items() if slot not in pair}

    def peers_of(self, slot: int) -> list[int]:
        """The other slots of the near pairs that this one is in."""
        return sorted(a + b - slot for a, b in self.near_since if slot in (a, b))


def told_by(deliveries: Deliveries) -> dict[int, list[int]]:
    """Senders by receiver."""
    bounds = deliveries.starts.tolist()
    return {
        receiver: deliveries.senders[bounds[k] : bounds[k + 1]].tolist()
        for k, receiver in enumerate(deliveries.receivers.tolist())
    }


def pairs_of(crossings: Crossings) -> list[Pair]:
    """The pairs as tuples, in their order."""
    return list(zip(crossings.first.tolist(), crossings.second.tolist(), strict=True))
