"""The work that is done by the clock. Every server may do it: each step claims the rows that it changes."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from v2v.messaging.services import messages_expire


class Step(NamedTuple):
    """Done every `interval_s` seconds; `step(now)` says whether it found work, and so whether to call it again."""

    name: str
    interval_s: float
    step: Callable[[datetime], bool]


STEPS = (Step("messages-expire", 5.0, messages_expire),)
