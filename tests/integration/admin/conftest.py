"""Two fleets with a device, a token, a state and an event each, and clients of staff."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from django.contrib.auth.models import User
from django.db.models import Model
from django.test import Client

from tests.integration.people import NOW, device_of, fleet_make, token_for, user_make, vehicle_make
from v2v.fleets.models import Fleet, Membership, Role
from v2v.geofences.models import GeofenceEvent, GeofencePresence
from v2v.geofences.services import geofence_create
from v2v.proximity.models import ProximityEvent
from v2v.vehicles.models import DeviceToken, Vehicle, VehicleStatus


@dataclass
class Side:
    """One fleet and one row of each kind in it; names of its rows hold the fleet's slug."""

    fleet: Fleet
    vehicle: Vehicle
    rows: dict[str, Model] = field(default_factory=dict)


def side_make(slug: str) -> Side:
    fleet = fleet_make(slug)
    vehicle, peer = (vehicle_make(fleet, f"{slug}-{n}", plate=f"P {slug} {n}") for n in (1, 2))
    token_for(vehicle)
    admin = user_make(f"admin.{slug}", fleet=fleet, role=Role.FLEET_ADMIN, is_staff=True)
    for role in (Role.VIEWER, Role.DISPATCHER):
        user_make(f"{role}.{slug}", fleet=fleet, role=role, is_staff=True)
    geometry = {"type": "Point", "coordinates": [55.0, 25.0]}
    geofence = geofence_create(
        fleet=fleet, by="amina", now=NOW, name=f"yard-{slug}", kind="circle", geometry=geometry, radius_m=500.0
    )
    rows: dict[str, Model] = {
        "fleets/fleet": fleet,
        "fleets/membership": Membership.objects.get(user=admin),
        "vehicles/vehicle": vehicle,
        "vehicles/device": device_of(vehicle),
        "vehicles/devicetoken": DeviceToken.objects.get(device__vehicle=vehicle),
        "vehicles/vehiclestatus": VehicleStatus.objects.create(vehicle=vehicle, status="online", last_seen=NOW),
        "geofences/geofence": geofence,
        "geofences/geofenceevent": GeofenceEvent.objects.create(
            fleet=fleet, geofence=geofence, vehicle=vehicle, type="enter", occurred_at=NOW
        ),
        "geofences/geofencepresence": GeofencePresence.objects.create(geofence=geofence, vehicle=vehicle, since=NOW),
        "proximity/proximityevent": ProximityEvent.objects.create(
            fleet=fleet, vehicle=vehicle, peer=peer, type="enter", distance_m=10, occurred_at=NOW
        ),
    }
    return Side(fleet, vehicle, rows)


@pytest.fixture
def north(db: None) -> Side:
    return side_make("north")


@pytest.fixture
def south(db: None) -> Side:
    return side_make("south")


@pytest.fixture
def staff(north: Side, south: Side) -> Callable[[str], Client]:
    """The client of a member of staff, such as `admin.north`, or of the superuser `root`."""

    def of(name: str) -> Client:
        if name == "root":
            user_make("root", is_staff=True, is_superuser=True)
        client = Client()
        client.force_login(User.objects.get(username=name))
        return client

    return of


Staff = Callable[[str], Client]
