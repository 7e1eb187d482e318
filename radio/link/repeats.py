"""What was heard before: a frame that comes again within 10 minutes is a repeat."""

from collections import OrderedDict

from radio.link.payloads import Status

REPEATS_S = 600.0
MAX_REPEATS = 20_000  # 33 frames a second for 10 minutes; past it the oldest are forgotten


class Repeats:
    """Frames by sender, sequence and a check of what they carry, each with its answer, if it has had one.

    The check belongs to it: a node that lost its count begins at 0 again, and what it says then is new.
    """

    def __init__(self) -> None:
        self._heard: OrderedDict[tuple[int, int, int], tuple[float, Status | None]] = OrderedDict()

    def heard(self, frame: tuple[int, int, int], now: float) -> tuple[bool, Status | None]:
        """Whether it was heard before, and how it was answered. From now on it was heard."""
        while self._heard and next(iter(self._heard.values()))[0] < now - REPEATS_S:
            self._heard.popitem(last=False)
        known = self._heard.get(frame)
        if known is not None:
            return True, known[1]
        self._remember(frame, now, None)
        return False, None

    def answered(self, frame: tuple[int, int, int], status: Status, now: float) -> None:
        """It was given this answer."""
        self._heard.pop(frame, None)
        self._remember(frame, now, status)

    def _remember(self, frame: tuple[int, int, int], now: float, status: Status | None) -> None:
        if len(self._heard) >= MAX_REPEATS:
            self._heard.popitem(last=False)
        self._heard[frame] = (now, status)
