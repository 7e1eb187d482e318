"""Whom an event is for. An audience may travel between processes: each of them finds its own connections in it."""

from msgspec import Struct


class ToVehicles(Struct, frozen=True, array_like=True, tag="vehicles"):
    """Every device of these vehicles."""

    vehicle_ids: tuple[str, ...]


class ToDispatchers(Struct, frozen=True, array_like=True, tag="dispatchers"):
    """Every dispatcher who may see the fleet."""

    fleet: int


class ToWorkers(Struct, frozen=True, array_like=True, tag="workers"):
    """Every dispatcher who may work in the fleet, and not only look."""

    fleet: int


class ToDevice(Struct, frozen=True, array_like=True, tag="device"):
    """One device of a vehicle, or one page of a dispatcher: `name` is the vehicle's id or the user's name."""

    is_vehicle: bool
    name: str
    device_id: str


class ToFleet(Struct, frozen=True, array_like=True, tag="fleet"):
    """Every vehicle of the fleet but the one that is left out, and every dispatcher who may see it."""

    fleet: int
    without: str = ""


class ToAround(Struct, frozen=True, array_like=True, tag="around"):
    """Every vehicle of the fleet within `radius_m` meters of a place, and every dispatcher who may see the fleet.

    Without a place or a radius, every vehicle of the fleet. With a place, each is told its own distance from it. The
    vehicle `center` is told in any case. Whoever is told follows the topic from then on.
    """

    fleet: int
    topic: str
    center: str
    lat: float | None
    lng: float | None
    radius_m: float | None


class ToFollowers(Struct, frozen=True, array_like=True, tag="followers"):
    """Every vehicle of the fleet that follows the topic, and every dispatcher who may see the fleet.

    `is_last` ends the topic.
    """

    fleet: int
    topic: str
    is_last: bool = False


Audience = ToVehicles | ToDispatchers | ToWorkers | ToDevice | ToFleet | ToAround | ToFollowers
