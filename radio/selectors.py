"""What an actor may see of bridges, radios and frames, and what the pages show of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Q, QuerySet

from radio.models import RadioBridge, RadioFrame, RadioNode
from radio.rules import HEARD_WITHIN, SEEN_WITHIN, LinkState, is_off
from v2v.fleets.policy import Action, Actor
from v2v.fleets.selectors import within

State = RadioFrame.State
SIGNALS = 40  # of one radio, the newest
_DAY = timedelta(days=1)
_MAX_BRIDGES = 20


def nodes_where(actor: Actor, action: Action = Action.VIEW) -> QuerySet[RadioNode]:
    """The radios of vehicles in the actor's fleets, and of such a fleet's bridge those that no vehicle has."""
    taken = within(actor, action, fleet="vehicle__fleet") & Q(vehicle__isnull=False)
    free = within(actor, action, fleet="bridge__fleet") & Q(vehicle=None)
    return RadioNode.objects.filter(taken | free).select_related("vehicle__fleet", "bridge__fleet")


def frames_where(actor: Actor) -> QuerySet[RadioFrame]:
    """The frames of the actor's fleets, newest first; those of no fleet are for system admins."""
    frames = RadioFrame.objects.filter(within(actor, Action.VIEW))
    return frames.select_related("fleet", "bridge", "node__vehicle")


def bridges_where(actor: Actor) -> list["ShownBridge"]:
    """The bridges of the actor's fleets, and those that hear radios of their vehicles."""
    bridges = RadioBridge.objects.select_related("fleet")
    if not actor.is_system_admin:
        mine = within(actor, Action.VIEW) | within(actor, Action.VIEW, fleet="nodes__vehicle__fleet")
        bridges = bridges.filter(mine).distinct()
    return [ShownBridge(bridge, actor.is_system_admin) for bridge in bridges[:_MAX_BRIDGES]]


@dataclass(frozen=True, slots=True)
class ShownBridge:
    """A bridge; its port is for who runs the machine."""

    bridge: RadioBridge
    with_port: bool


def state_of(bridge: RadioBridge, now: datetime) -> LinkState:
    """Whether its modem is there; a process that is silent has died."""
    return LinkState(bridge.state) if now - bridge.seen_at < SEEN_WITHIN else LinkState.STOPPED


@dataclass(frozen=True, slots=True)
class Signal:
    """The newest readings of a radio, oldest first (dBm), and their line in a picture of 120 x 28."""

    values: list[float]

    WIDTH, HEIGHT = 120, 28
    WEAKEST, STRONGEST = -130.0, -30.0

    @property
    def points(self) -> str:
        """Of a polyline."""
        step = self.WIDTH / max(1, len(self.values) - 1)
        return " ".join(f"{index * step:.1f},{self._height(value):.1f}" for index, value in enumerate(self.values))

    def _height(self, dbm: float) -> float:
        within = min(max(dbm, self.WEAKEST), self.STRONGEST)
        return self.HEIGHT * (self.STRONGEST - within) / (self.STRONGEST - self.WEAKEST)

    @property
    def words(self) -> str:
        """For who does not see it."""
        return f"{min(self.values):.0f} to {max(self.values):.0f} dBm" if self.values else "no readings"


@dataclass(frozen=True, slots=True)
class ShownNode:
    """A radio with its signal, and whether it was heard lately and its clock is wrong."""

    node: RadioNode
    signal: Signal
    is_heard: bool
    clock_is_off: bool
    waiting: int


def nodes_shown(nodes: list[RadioNode], *, now: datetime) -> list[ShownNode]:
    """These radios, few of them: each reads its newest frames from an index of its own."""
    waiting = dict(
        RadioFrame.objects.filter(node__in=nodes, state__in=[State.QUEUED, State.SENT, State.RELAYED])
        .order_by()
        .values_list("node")
        .annotate(Count("pk"))
    )
    return [
        ShownNode(
            node=node,
            signal=_signal(node),
            is_heard=now - node.heard_at < HEARD_WITHIN,
            clock_is_off=is_off(node.clock_offset_s),
            waiting=waiting.get(node.pk, 0),
        )
        for node in nodes
    ]


def _signal(node: RadioNode) -> Signal:
    heard = RadioFrame.objects.filter(node=node, direction=RadioFrame.Direction.IN).order_by("-id")
    readings = heard.exclude(rssi=None).values_list("rssi", flat=True)[:SIGNALS]
    return Signal([dbm for dbm in readings if dbm is not None][::-1])


@dataclass(frozen=True, slots=True)
class Traffic:
    """How many frames wait or are on their way now, and what became of others in the last day."""

    queued: int
    under_way: int
    resting: int
    acked: int
    failed: int
    received: int


def traffic_of(actor: Actor, *, now: datetime) -> Traffic:
    """Of the fleets that the actor may view."""
    frames = RadioFrame.objects.filter(within(actor, Action.VIEW)).order_by()
    lately = dict(frames.filter(created_at__gt=now - _DAY).values_list("state").annotate(Count("pk")))
    waiting = dict(
        frames.filter(state__in=[State.QUEUED, State.SENT, State.RELAYED]).values_list("state").annotate(Count("pk"))
    )
    return Traffic(
        queued=waiting.get(State.QUEUED, 0),
        under_way=waiting.get(State.SENT, 0) + waiting.get(State.RELAYED, 0),
        resting=frames.exclude(retry_at=None).count(),
        acked=lately.get(State.ACKED, 0),
        failed=lately.get(State.FAILED, 0),
        received=lately.get(State.RECEIVED, 0),
    )


def radio_health(*, now: datetime) -> str:
    """`up`; `down` while any bridge that should run has no modem, or does not run; `off` when there should be none."""
    bridges = RadioBridge.objects.exclude(state=LinkState.STOPPED.value)[:_MAX_BRIDGES]
    states = {state_of(bridge, now) for bridge in bridges}
    if not states:
        return "down" if settings.RADIO_PORT else "off"
    return "up" if states == {LinkState.UP} else "down"
