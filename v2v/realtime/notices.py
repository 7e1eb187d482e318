"""What server processes tell each other, beside the events that are for clients."""

from msgspec import Struct

from v2v.protocol.events import PresenceStatus


class Notice(Struct, frozen=True, array_like=True):
    """Something that every process must know; its handlers run on the event loop, also in the process that tells."""


class RightLost(Notice, frozen=True, tag="right_lost"):
    """A vehicle, or a device and whoever came in with its token, may come in no longer."""

    vehicle_pk: int | None
    device_pk: int | None
    reason: str


class Changed(Notice, frozen=True, tag="changed"):
    """What processes keep of the database in memory has changed there: read it again. `what` names it."""

    what: str


class DeviceCame(Struct, frozen=True, array_like=True):
    """A device of a vehicle has registered (epoch milliseconds)."""

    vehicle_id: str
    device_id: str
    session_id: str
    registered_ms: int


class DevicesCame(Notice, frozen=True, tag="devices_came"):
    """Devices are connected to the process that tells: older connections of them, to others, are replaced."""

    devices: tuple[DeviceCame, ...]


class Held(Notice, frozen=True, tag="held"):
    """How a vehicle stands with the process that tells; `offline`: it is not connected there any more.

    `version` goes up with each of them. `last_seen` in epoch milliseconds.
    """

    process: str
    vehicle_id: str
    vehicle_pk: int
    fleet: int
    status: PresenceStatus
    last_seen: int
    version: int
    driver_name: str | None = None


class Seen(Notice, frozen=True, tag="seen"):
    """When vehicles of the process were last heard (epoch milliseconds)."""

    process: str
    last_seen: dict[str, int]


class Desk(Notice, frozen=True, tag="desk"):
    """The process's dispatchers, and the fleets in which each may work (None: all)."""

    process: str
    workers: tuple[tuple[str, tuple[int, ...] | None], ...]


class Pulse(Notice, frozen=True, tag="pulse"):
    """The process lives, and so many connections with it; `stale`: how many it has closed."""

    process: str
    connections: int = 0
    stale: int = 0


class Want(Notice, frozen=True, tag="want"):
    """The process has begun to listen on these channels of positions: say once more who stands there."""

    process: str
    channels: tuple[str, ...]


class Came(Notice, frozen=True, tag="came"):
    """A process has begun, or was cut off for a while: say what it cannot look up."""

    process: str


class Left(Notice, frozen=True, tag="left"):
    """A process has ended in order."""

    process: str


AnyNotice = RightLost | Changed | DevicesCame | Held | Seen | Desk | Pulse | Want | Came | Left
