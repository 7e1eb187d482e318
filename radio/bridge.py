"""The bridge: one modem on one side, the database on the other, one thread between them.

What the link tells is taken in order. While the database is away the thread stays with what it has in its hands, and
acknowledges nothing: senders repeat. What goes out is claimed from the database a few frames at a time, so that an
emergency that comes last is not behind ten thousand texts.
"""

import queue
import secrets
import threading
import time
from collections.abc import Callable
from datetime import datetime

import structlog
from django.db import close_old_connections, connection
from django.utils import timezone

from radio import metrics, outbound, wanted
from radio.inbound import DATABASE_AWAY, frame_take
from radio.link.payloads import BadPayload
from radio.link.traffic import (
    Acked,
    Failed,
    Full,
    HeardAgain,
    LinkEvent,
    NodeNamed,
    Outgoing,
    Priority,
    Received,
    Relayed,
    Sent,
    State,
    StateChanged,
)
from radio.link.transport import RadioLink, open_link
from radio.models import RadioBridge, RadioFrame
from radio.nodes import node_heard_again, node_known_as
from radio.payloads import payload_of
from radio.rules import LinkState
from radio.setup import Setup
from radio.state import bridge_begin, bridge_note, sequence_of

log = structlog.get_logger(__name__)

MAX_EVENTS = 10_000  # frames that wait for the database
WINDOW = 8  # frames that the modem has at a time
URGENT_WINDOW = 8  # and as many emergencies besides
_LOOK_EVERY_S = 0.5
_WAIT_S = 0.1
_LONGEST_PAUSE_S = 2.0
_STOP_WITHIN_S = 5.0


class Bridge:
    """Runs until `stop`, or until a newer process has taken its place."""

    def __init__(self, setup: Setup) -> None:
        self.replaced = False
        self.problem = ""  # why it could not begin at all
        self._setup = setup
        self._holder = secrets.token_hex(16)
        self._events: queue.SimpleQueue[tuple[LinkEvent, datetime]] = queue.SimpleQueue()
        self._link: RadioLink | None = None
        self._bridge: RadioBridge | None = None
        self._under_way: dict[int, int] = {}  # priority of each frame that the link has, by its row
        self._state = LinkState.AWAY
        self._last_sequence = 0
        self._looked_at = 0.0
        self._has_room = False  # since the last look: something was acknowledged or given up
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    # ---- From outside

    @property
    def state(self) -> LinkState:
        """Whether the modem is there."""
        return self._state

    def start(self) -> None:
        """Run on a thread of its own; a daemon, which a stopped database cannot keep the process alive with."""
        if self._thread is None:
            self._thread = threading.Thread(target=self.run, name="radio-bridge", daemon=True)
            self._thread.start()

    def end_soon(self) -> None:
        """Have `run` come back."""
        self._stop.set()

    def stop(self) -> None:
        """Take and send nothing more; what is under way is waited for, but not for long."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(_STOP_WITHIN_S)

    def run(self) -> None:
        """Work until told to stop; the modem is let go at the end."""
        try:
            self._until_stored(self._begin)
            while not self._stop.is_set():
                self._step()
        finally:
            if self._link is not None:
                self._link.close()
            metrics.LINK_UP.set(0)
            self._end()

    # ---- The thread

    def _begin(self) -> None:
        setup = self._setup
        self._bridge = bridge_begin(
            name=setup.name,
            link=setup.link,
            port=setup.port,
            fleet=setup.fleet,
            holder=self._holder,
            now=timezone.now(),
        )
        outbound.frames_recover(bridge=self._bridge)
        self._last_sequence = self._bridge.last_sequence
        try:
            self._link = open_link(
                setup.link,
                setup.port,
                setup.baud,
                on_event=self._hear,
                address=setup.address,
                first_sequence=sequence_of(self._last_sequence),
                air_bits_per_s=setup.air_bits_per_s,
            )
        except ValueError as error:
            self.problem = str(error)
            log.error("the radio port cannot be", port=setup.port, error=self.problem)
            self._stop.set()
            return
        log.info("radio bridge started", bridge=setup.name, port=setup.port, link=setup.link)

    def _step(self) -> None:
        try:
            event, at = self._events.get(timeout=_WAIT_S)
        except queue.Empty:
            pass
        else:
            self._until_stored(lambda: self._take(event, at))
        if time.monotonic() - self._looked_at >= _LOOK_EVERY_S:
            self._looked_at = time.monotonic()
            self._until_stored(self._look)
        elif self._has_room:
            self._until_stored(self._send)

    def _look(self) -> None:
        """What the clock asks for: say that the bridge is alive, find what is to go out, send it."""
        bridge = self._known()
        if not bridge_note(
            bridge=bridge, holder=self._holder, state=self._state, last_sequence=self._last_sequence, now=timezone.now()
        ):
            log.warning("another process has taken the radio bridge", bridge=bridge.name)
            self.replaced = True
            self._stop.set()
            return
        wanted.queue_fill(bridge=bridge, now=timezone.now())
        self._send()

    def _hear(self, event: LinkEvent) -> None:
        """On the link's thread: never waits.

        A frame that finds no room is not acknowledged, so it comes again. Of what was sent there are never more events
        than the few frames that are under way have.
        """
        if isinstance(event, Received) and self._events.qsize() >= MAX_EVENTS:
            metrics.DROPPED.inc()
            return
        self._events.put((event, timezone.now()))

    def _take(self, event: LinkEvent, now: datetime) -> None:
        """What the link told at `now`, which is a while ago when the database was away."""
        match event:
            case Received():
                status = frame_take(bridge=self._known(), heard=event, now=now)
                if status is not None and self._link is not None:
                    self._link.acknowledge(event, status)
            case Sent(key=key, sequence=sequence, attempt=attempt):
                self._last_sequence = sequence
                outbound.frame_numbered(pk=key, sequence=sequence, attempts=attempt)
            case Relayed(key=key):
                outbound.frame_relayed(pk=key)
            case Acked(key=key):
                outbound.frame_acked(pk=key, now=now)
                self._done(key)
            case Failed(key=key, reason=reason):
                outbound.frame_failed(pk=key, reason=reason, now=now)
                self._done(key)
            case HeardAgain(node=node):
                node_heard_again(bridge=self._known(), address=node, now=now)
            case NodeNamed():
                node_known_as(bridge=self._known(), address=event.node, name=event.name, battery=event.battery)
            case StateChanged(state=state, reason=reason):
                self._state = LinkState.UP if state is State.UP else LinkState.AWAY
                metrics.LINK_UP.set(state is State.UP)
                log.info("radio modem", port=self._setup.port, state=str(state), reason=reason)
                self._looked_at = 0.0

    def _done(self, key: int) -> None:
        self._under_way.pop(key, None)
        self._has_room = True

    def _send(self) -> None:
        self._has_room = False
        if self._state is not LinkState.UP or self._link is None:
            return  # the rows wait where they are safe
        urgent = sum(priority >= Priority.ALERT for priority in self._under_way.values())
        usual = len(self._under_way) - urgent
        room = ((URGENT_WINDOW - urgent, Priority.ALERT - 1), (WINDOW - usual, 0))
        for count, over in room:
            if count > 0:
                for frame in outbound.frames_claim(bridge=self._known(), count=count, over=over, now=timezone.now()):
                    self._offer(frame)

    def _offer(self, frame: RadioFrame) -> None:
        item = Outgoing(
            key=frame.pk,
            payload=payload_of(frame),
            recipient=frame.recipient,
            priority=Priority(frame.priority),
            wants_ack=True,
            sequence=outbound.sequence_again(frame, now=timezone.now()),
        )
        try:
            if self._link is not None:
                self._link.send(item)
        except Full:
            outbound.frame_back(pk=frame.pk)
        except BadPayload as bad:
            outbound.frame_failed(pk=frame.pk, reason=f"cannot be sent: {bad.flaw}", now=timezone.now(), for_good=True)
        else:
            self._under_way[frame.pk] = frame.priority

    # ---- The database

    def _until_stored(self, work: Callable[[], None]) -> None:
        """Do it, again and again while the database is away; nothing else happens meanwhile."""
        pause_s = 0.1
        while not self._stop.is_set():
            try:
                work()
            except DATABASE_AWAY as error:
                metrics.STORE_AWAY.inc()
                log.warning("the radio waits for the database", error=str(error))
                close_old_connections()
                self._stop.wait(pause_s)
                pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)
            except Exception:
                log.exception("radio work failed")
                return
            else:
                return

    def _known(self) -> RadioBridge:
        if self._bridge is None:
            raise RuntimeError("the bridge has not begun")
        return self._bridge

    def _end(self) -> None:
        try:
            if self._bridge is not None and not self.replaced:
                bridge_note(
                    bridge=self._bridge,
                    holder=self._holder,
                    state=LinkState.STOPPED,
                    last_sequence=self._last_sequence,
                    now=timezone.now(),
                )
                outbound.frames_recover(bridge=self._bridge)
        except DATABASE_AWAY:
            log.warning("the radio bridge ended while the database is away")
        finally:
            connection.close()
