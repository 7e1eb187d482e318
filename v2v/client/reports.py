"""Fixes that wait to be sent: newest wins, but none that carries news is lost to a newer one."""

import asyncio
from collections import deque

from v2v.protocol.commands import LocationData

MAX_WAITING = 64


class Reports:
    """The fixes that are not sent yet.

    A fix takes the place of the one before it, unless that one carries an alarm or a change of the ignition:
    such a fix is kept. Over MAX_WAITING the oldest goes.
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[LocationData, bool]] = deque(maxlen=MAX_WAITING)
        self._ignition: bool | None = None
        self._filled = asyncio.Event()

    def add(self, fix: LocationData) -> None:
        """Have `fix` sent, once there is a way."""
        switched = fix.ignition is not None and fix.ignition != self._ignition
        if switched:
            self._ignition = fix.ignition
        if self._waiting and not self._waiting[-1][1]:
            self._waiting.pop()
        self._waiting.append((fix, switched or fix.alarm is not None))
        self._filled.set()

    async def oldest(self) -> LocationData:
        """The fix to send next; waits until there is one. It stays here until it is `sent`."""
        await self._filled.wait()
        return self._waiting[0][0]

    def sent(self, fix: LocationData) -> None:
        """`fix` is on its way."""
        if self._waiting and self._waiting[0][0] is fix:
            self._waiting.popleft()
        if not self._waiting:
            self._filled.clear()
