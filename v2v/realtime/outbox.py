"""One connection's outgoing frames: in order, bounded, and never at anybody else's cost."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

from v2v.protocol.codes import CLOSES, CloseCode
from v2v.protocol.events import numbered
from v2v.realtime import metrics
from v2v.realtime.wire import Wire

_SLOW_LINGER_S = 1.0
_CLOSE_LINGER_S = 3.0

Frame = Callable[[Iterable[bytes]], bytes]  # puts a frame of positions together


class Outbox:
    """Sends at once while the socket takes it. When it does not:

    control frames wait in order, to a bound, past which the connection is closed with 4431;
    positions wait as the newest of each vehicle.
    """

    __slots__ = (
        "_bytes",
        "_frame",
        "_held",
        "_late",
        "_limit_bytes",
        "_limit_frames",
        "_seq",
        "_waiting",
        "_wire",
        "closed",
    )

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
        self._held = False

    def hold(self) -> None:
        """Let everything wait until `release`: a snapshot is being made of what happened before."""
        self._held = True

    @property
    def is_held(self) -> bool:
        """Whether a snapshot is being made."""
        return self._held

    def release(self, snapshot: bytes | None = None) -> None:
        """Send the snapshot, if it could be made, and then what came since `hold`."""
        self._held = False
        if snapshot is not None and not self.closed:
            self._waiting.appendleft(snapshot)
            self._bytes += len(snapshot)
        self.flush()

    def post(self, encoded: bytes) -> None:
        """Send an encoded control event, with the connection's next number."""
        if self.closed:
            return
        if self._wire.can_write and not self._waiting and not self._held:
            self._send(encoded)
            return
        self._waiting.append(encoded)
        self._bytes += len(encoded)
        if len(self._waiting) > self._limit_frames or self._bytes > self._limit_bytes:
            self.close_slow()

    def post_positions(self, senders: Sequence[int], parts: Sequence[bytes]) -> None:
        """Send the positions of these vehicles (numbers, and encoded parts), or keep the newest of each."""
        if self._wire.can_write and not self._waiting and not self._held:
            self._wire.send_frame(self._frame(parts))
        elif not self.closed:
            self._late.update(zip(senders, parts, strict=True))

    @property
    def posted(self) -> int:
        """How many control events were sent or are waiting."""
        return self._seq

    @property
    def is_blocked(self) -> bool:
        """Whether anything waits, or would."""
        return not self.closed and not self._wire.can_write

    @property
    def is_waiting(self) -> bool:
        """Whether control events wait for the socket, or for a snapshot."""
        return self._held or bool(self._waiting)

    def flush(self) -> None:
        """Send what waited, as far as the socket takes it."""
        if self._held:
            return
        while self._waiting and self._wire.can_write:
            encoded = self._waiting.popleft()
            self._bytes -= len(encoded)
            self._send(encoded)
        if self._late and self._wire.can_write:
            late, self._late = self._late, {}
            self._wire.send_frame(self._frame(late.values()))

    def _send(self, encoded: bytes) -> None:
        self._seq += 1
        self._wire.send_frame(numbered(encoded, self._seq))

    def close(self, code: CloseCode) -> None:
        """Close the connection; what waits is dropped."""
        self._close(code, _CLOSE_LINGER_S)

    def close_slow(self) -> None:
        """Close a reader that does not keep up, and soon."""
        if not self.closed:
            metrics.SLOW_CLOSED.inc()
        self._close(CloseCode.SLOW_READER, _SLOW_LINGER_S)

    def _close(self, code: CloseCode, linger_s: float) -> None:
        if self.closed:
            return
        self.closed = True
        self._held = False
        self.flush()  # why it is closed, to one whose snapshot never came
        self._waiting.clear()
        self._late.clear()
        self._wire.close_with(code, CLOSES[code].reason, linger_s=linger_s)
