"""A sorted set of pairs of slots, each with the time since when it stands."""

from __future__ import annotations

from collections.abc import Collection
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from v2v.proximity.geometry import Floats

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

_LOW = (1 << 32) - 1


def pack(first: Ints, second: Ints) -> Ints:
    """One int64 for each two slots below 2**31; they sort as the tuples would."""
    return (first << 32) | second


def unpack(keys: Ints) -> tuple[Ints, Ints]:
    """The two columns that `pack` made the keys of."""
    return keys >> 32, keys & _LOW


class PairTable:
    """Pairs (first < second) as ascending keys, each with the clock's seconds when it began to stand.

    Nothing changes a table in place: every method gives a table of its own, so a reader needs no lock.
    """

    def __init__(self, keys: Ints, since: Floats) -> None:
        self.keys = keys
        self.since = since

    @classmethod
    def empty(cls) -> PairTable:
        """A table without pairs."""
        return cls(np.empty(0, np.int64), np.empty(0, np.float64))

    def where(self, mask: Mask) -> PairTable:
        """The pairs that the mask keeps."""
        return self if mask.all() else PairTable(self.keys[mask], self.since[mask])

    def plus(self, keys: Ints, *, since: float) -> PairTable:
        """With more pairs, ascending and not here yet, that all stand since the same second."""
        if not keys.size:
            return self
        places = np.searchsorted(self.keys, keys)
        return PairTable(np.insert(self.keys, places, keys), np.insert(self.since, places, since))

    def without_slots(self, slots: Collection[int]) -> PairTable:
        """Without every pair that any of these slots is in."""
        if not slots or not self.keys.size:
            return self
        gone = np.fromiter(slots, np.int64, len(slots))
        first, second = unpack(self.keys)
        return self.where(~(np.isin(first, gone) | np.isin(second, gone)))

    def match(self, keys: Ints) -> tuple[Mask, Mask]:
        """Compare with ascending keys: which of ours are among them, and which of them are ours."""
        ours, theirs = np.zeros(self.keys.size, np.bool_), np.zeros(keys.size, np.bool_)
        if ours.size and theirs.size:
            places = np.minimum(np.searchsorted(self.keys, keys), ours.size - 1)
            theirs = self.keys[places] == keys
            ours[places[theirs]] = True
        return ours, theirs

    def partners(self, slot: int) -> Ints:
        """The slots that stand in a pair with this one, ascending."""
        return np.concatenate([_seconds_of(self._mirrored, slot), _seconds_of(self.keys, slot)])

    @cached_property
    def _mirrored(self) -> Ints:
        """The same pairs with the greater slot first; sorted once, when first asked for."""
        first, second = unpack(self.keys)
        return np.sort(pack(second, first))


def _seconds_of(keys: Ints, slot: int) -> Ints:
    begin, end = np.searchsorted(keys, (slot << 32, (slot + 1) << 32))
    return unpack(keys[begin:end])[1]
