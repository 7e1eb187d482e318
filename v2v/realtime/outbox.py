"""One connection's outgoing frames: in order, bounded, and never at anybody else's cost."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from v2v.protocol.codes import CLOSES, CloseCode
from v2v.protocol.events import numbered
from v2v.realtime.wire import Wire

_SLOW_LINGER_S = 1.0
_CLOSE_LINGER_S = 5.0

Frame = Callable[[Iterable[bytes]], bytes]  # puts a frame of positions together


class Outbox:
    """Sends at once while the socket takes it. When it does not:

    control frames wait in order, to a bound, past which the connection is closed with 4431;
    positions wait as the newest of each vehicle.
    """

    __slots__ = ("_bytes", "_frame", "_late", "_limit_bytes", "_limit_frames", "_seq", "_waiting", "_wire", "closed")

    def __init__(self, wire: Wire, *, frame: Frame, limit_frames: int, limit_bytes: int) -> None:
        self.closed = False
        self._wire = wire
        self._frame = frame
        self._limit_frames = limit_frames
        self._limit_bytes = limit_bytes
        self._waiting: deque[bytes] = deque()
        self._bytes = 0
        self._late: dict[int, bytes] = {}
        self._seq = 0

    def post(self, encoded: bytes) -> None:
        """Send an encoded control event, with the connection's next number."""
        if self.closed:
            return
        self._seq += 1
        payload = numbered(encoded, self._seq)
        if self._wire.can_write and not self._waiting:
            self._wire.send_frame(payload)
            return
        self._waiting.append(payload)
        self._bytes += len(payload)
        if len(self._waiting) > self._limit_frames or self._bytes > self._limit_bytes:
            self.close_slow()

    def post_positions(self, senders: Sequence[int], parts: Sequence[bytes]) -> bool:
        """Send the positions of these vehicles (numbers, and encoded parts); false when they have to wait."""
        if self._wire.can_write and not self._waiting:
            self._wire.send_frame(self._frame(parts))
            return True
        if not self.closed:
            self._late.update(zip(senders, parts, strict=True))
        return False

    @property
    def posted(self) -> int:
        """How many control events were sent or are waiting."""
        return self._seq

    @property
    def is_blocked(self) -> bool:
        """Whether anything waits, or would."""
        return not self.closed and not self._wire.can_write

    def flush(self) -> None:
        """Send what waited, as far as the socket takes it."""
        while self._waiting and self._wire.can_write:
            payload = self._waiting.popleft()
            self._bytes -= len(payload)
            self._wire.send_frame(payload)
        if self._late and self._wire.can_write:
            late, self._late = self._late, {}
            self._wire.send_frame(self._frame(late.values()))

    def close(self, code: CloseCode) -> None:
        """Close the connection; what waits is dropped."""
        self._close(code, _CLOSE_LINGER_S)

    def close_slow(self) -> None:
        """Close a reader that does not keep up, and soon."""
        self._close(CloseCode.SLOW_READER, _SLOW_LINGER_S)

    def _close(self, code: CloseCode, linger_s: float) -> None:
        if self.closed:
            return
        self.closed = True
        self._waiting.clear()
        self._late.clear()
        self._wire.close_with(code, CLOSES[code].reason, linger_s=linger_s)
