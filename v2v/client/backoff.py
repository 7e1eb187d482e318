"""How long to wait before the next try to connect."""

import random
from collections.abc import Callable

FIRST_S = 1.0
LONGEST_S = 30.0


class Backoff:
    """Exponential backoff with full jitter: each wait is drawn from zero to a ceiling that doubles up to 30 s.

    Full jitter, because vehicles that a server lost together would else come back together.
    """

    def __init__(self, draw: Callable[[], float] = random.random) -> None:
        self._draw = draw
        self._ceiling_s = FIRST_S

    def next_s(self) -> float:
        """The seconds to wait before the next try."""
        wait_s = self._ceiling_s * self._draw()
        self._ceiling_s = min(LONGEST_S, self._ceiling_s * 2)
        return wait_s

    def reset(self) -> None:
        """Begin with short waits again, after a connection that held."""
        self._ceiling_s = FIRST_S
