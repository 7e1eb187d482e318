"""A simulated air with stations and modems in it: frames are lost, damaged, late and doubled as on a real one.

What happens is settled by the seed alone as long as the clock is passed in the same steps; `PtyModem` joins a program
that opens a serial port.
"""

import contextlib
import heapq
import itertools
import os
import pty
import threading
import time
import tty
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Protocol

from radio.link.frames import DELIMITER, MAX_CODED_BYTES, BadFrame, cobs_decode, frame_decode, frame_encode

STEP_S = 0.01
READ_BYTES = 4_096


class Member(Protocol):
    """Whoever is on the air: a `Link`, or a modem."""

    def receive(self, data: bytes, now: float) -> None:
        """What comes from the air."""

    def transmit(self, now: float) -> bytes:
        """What goes on the air now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How bad the air is: the chances of a frame to be lost or doubled, of a bit to be wrong; the delay in seconds."""

    loss: float = 0.0
    doubled: float = 0.0
    bit_errors: float = 0.0
    delay_s: float = 0.05
    rssi: int = -90
    snr: float = 5.0


class Air:
    """Carries each member's frames to all others, with the signal that their modems report."""

    def __init__(self, weather: Weather, seed: int) -> None:
        self.weather = weather
        self._random = Random(seed)  # noqa: S311 - a simulation
        self._members: list[Member] = []
        self._order = itertools.count()
        self._under_way: list[tuple[float, int, Member, bytes]] = []

    def join(self, member: Member) -> None:
        """It hears and is heard from now on."""
        self._members.append(member)

    def step(self, now: float) -> None:
        """Hand over what has arrived, and take what is sent. To be called every 10 ms or so."""
        while self._under_way and self._under_way[0][0] <= now:
            _, _, member, data = heapq.heappop(self._under_way)
            member.receive(data, now)
        for sender in self._members:
            for piece in sender.transmit(now).split(DELIMITER):
                if piece:
                    self._spread(sender, piece, now)

    def _spread(self, sender: Member, piece: bytes, now: float) -> None:
        for member in self._members:
            if member is sender:
                continue
            for _ in range(self._copies()):
                at = now + self.weather.delay_s * self._random.uniform(0.5, 1.5)
                data = noisy(self._with_signal(piece), self.weather.bit_errors, self._random)
                heapq.heappush(self._under_way, (at, next(self._order), member, data))

    def _copies(self) -> int:
        if self._random.random() < self.weather.loss:
            return 0
        return 2 if self._random.random() < self.weather.doubled else 1

    def _with_signal(self, piece: bytes) -> bytes:
        try:
            frame = frame_decode(cobs_decode(piece))
        except BadFrame:
            return DELIMITER + piece + DELIMITER
        rssi = self.weather.rssi + self._random.randint(-10, 10)
        return frame_encode(replace(frame, rssi=rssi, snr=self.weather.snr + self._random.randint(-8, 8) / 4))


def noisy(data: bytes, bit_errors: float, random: Random) -> bytes:
    """The same with each bit wrong by that chance."""
    if not bit_errors:
        return data
    damaged = bytearray(data)
    for bit in range(len(data) * 8):
        if random.random() < bit_errors:
            damaged[bit >> 3] ^= 1 << (bit & 7)
    return bytes(damaged)


class PtyModem:
    """A modem at the end of a pseudo-terminal. `path` is the port to open, also once it was plugged in again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()  # one thread pulls the plug while the air's own reads and writes
        self._ends: tuple[int, int] | None = None  # the modem's end and the port
        self._begun = b""
        self.plug()

    def plug(self) -> None:
        """Make the port."""
        modem, port = pty.openpty()  # the port stays open here, too: else it is an error that nobody has it open
        tty.setraw(port)
        os.set_blocking(modem, False)
        with self._lock:
            self._ends = modem, port
        self.path.symlink_to(os.ttyname(port))

    def unplug(self) -> None:
        """Pull it out: who has it open loses it, and it cannot be opened."""
        self.path.unlink(missing_ok=True)
        with self._lock:
            ends, self._ends, self._begun = self._ends, None, b""
        for end in ends or ():
            os.close(end)

    def receive(self, data: bytes, now: float) -> None:
        """From the air to the program; lost while nothing is plugged in, and what a program does not read in time."""
        del now
        with self._lock, contextlib.suppress(BlockingIOError):
            if self._ends is not None:
                os.write(self._ends[0], data)

    def transmit(self, now: float) -> bytes:
        """From the program to the air, up to the last whole frame."""
        del now
        with self._lock:
            if self._ends is None:
                return b""
            with contextlib.suppress(BlockingIOError):
                self._begun += os.read(self._ends[0], READ_BYTES)
            whole, delimiter, rest = self._begun.rpartition(DELIMITER)
            self._begun = rest if len(rest) <= MAX_CODED_BYTES else b""
            return whole + delimiter


class Simulation:
    """An air on a thread of its own, in real time. `each_step` is called between the steps, on that thread."""

    def __init__(self, air: Air, each_step: Callable[[float], None] = lambda now: None) -> None:
        self._air = air
        self._each_step = each_step
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="simulated air", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._ending.set()
        self._thread.join(2)

    def _run(self) -> None:
        while not self._ending.wait(STEP_S):
            now = time.monotonic()
            self._each_step(now)
            self._air.step(now)
