"""Which radio speaks for which vehicle.

A frame proves nothing: whoever has a radio can say any vehicle's name. So a node is bound by itself only where the
bridge has a fleet, to a vehicle of that fleet, and never away from where it is; everything else a person decides.
"""

from datetime import datetime

import structlog
from django.db import transaction

from radio.models import RadioBridge, RadioFrame, RadioNode
from radio.rules import HEARD_WITHIN
from v2v.fleets.policy import Action, Actor, can
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal
from v2v.vehicles.models import Vehicle
from v2v.vehicles.services import vehicle_enroll

log = structlog.get_logger(__name__)

_QUEUED = RadioFrame.State.QUEUED


def fleet_of(node: RadioNode) -> int | None:
    """Whose it is: its vehicle's fleet; the bridge's without a vehicle; None for system admins only."""
    return node.vehicle.fleet_id if node.vehicle is not None else node.bridge.fleet_id


def node_heard(*, bridge: RadioBridge, address: int, now: datetime) -> RadioNode:
    """The node, locked until the transaction's end, so that two copies of one frame come one after the other."""
    RadioNode.objects.get_or_create(bridge=bridge, address=address, defaults={"heard_at": now, "created_at": now})
    nodes = RadioNode.objects.select_for_update(of=("self",)).select_related("vehicle", "bridge")
    return nodes.get(bridge=bridge, address=address)


def node_named(*, node: RadioNode, name: str) -> None:
    """It says which vehicle it is in."""
    node.name = name[:64]
    if node.vehicle_id is None and node.bridge.fleet_id is not None:
        wanted = Vehicle.objects.filter(vehicle_id=name, fleet=node.bridge.fleet_id, deleted_at=None, disabled_at=None)
        vehicle = wanted.filter(radio_nodes=None).first()
        if vehicle is not None:
            node.vehicle = vehicle
            log.info("radio bound by its hello", node=node.label, vehicle=vehicle.vehicle_id)
    node.save(update_fields=["name", "vehicle"])


def node_known_as(*, bridge: RadioBridge, address: int, name: str, battery: int | None) -> None:
    """What a Meshtastic radio knows of a node that was heard before. The name is its owner's choice, no vehicle's."""
    known = RadioNode.objects.filter(bridge=bridge, address=address)
    known.filter(name="").update(name=name[:64])
    if battery is not None:
        known.update(battery=battery)


def node_heard_again(*, bridge: RadioBridge, address: int, now: datetime) -> None:
    """A node to which something has failed was heard."""
    for node in RadioNode.objects.filter(bridge=bridge, address=address):
        frames_try_again(node, now=now)


def frames_try_again(node: RadioNode, *, now: datetime) -> None:
    """What was given up, and has rested for long enough, goes out again."""
    given_up = RadioFrame.objects.filter(node=node, retry_at__lte=now, expires_at__gt=now)
    given_up.update(state=RadioFrame.State.QUEUED, retry_at=None, error="")


def node_vehicle_make(*, node: RadioNode, now: datetime) -> Vehicle | None:
    """A vehicle for a node that nobody knows, so that its emergency reaches the bridge's dispatchers; None without."""
    fleet = node.bridge.fleet
    if fleet is None:
        return None
    name = f"radio-{node.bridge.name[:20]}-{node.address:04x}"
    try:
        node.vehicle = vehicle_enroll(vehicle_id=name, fleet=fleet, now=now, driver_name=node.name)
    except Refusal:
        log.warning("no vehicle for an unknown radio", node=node.label, vehicle=name)
        return None
    node.save(update_fields=["vehicle"])
    return node.vehicle


@transaction.atomic
def node_assign(*, node: RadioNode, vehicle: Vehicle | None, actor: Actor) -> RadioNode:
    """Have the node speak for a vehicle, or for none. What waits for the one before is not sent any more.

    Raises Refusal `forbidden` for who may not edit both fleets, `conflict` for a vehicle that is gone.
    """
    locked = RadioNode.objects.select_for_update(of=("self",)).select_related("vehicle", "bridge").get(pk=node.pk)
    here = fleet_of(locked)
    if not may_edit(actor, here) or (vehicle is not None and not can(actor, Action.EDIT, vehicle.fleet_id)):
        raise Refusal(ErrorCode.FORBIDDEN)
    if vehicle is not None and (vehicle.deleted_at is not None or vehicle.disabled_at is not None):
        raise Refusal(ErrorCode.CONFLICT, "The vehicle is disabled or deleted.")
    if vehicle == locked.vehicle:
        return locked
    waiting = RadioFrame.objects.filter(node=locked, direction=RadioFrame.Direction.OUT)
    waiting.filter(state=_QUEUED).update(state=RadioFrame.State.WITHDRAWN, error="the radio went to another vehicle")
    waiting.exclude(retry_at=None).update(retry_at=None)
    locked.vehicle = vehicle
    locked.save(update_fields=["vehicle"])
    log.info("radio assigned", node=locked.label, vehicle=vehicle.vehicle_id if vehicle else None, by=actor.name)
    return locked


def may_edit(actor: Actor, fleet_pk: int | None) -> bool:
    """Whether the actor may say whose a node is; of one without a fleet only a system admin."""
    return actor.is_system_admin if fleet_pk is None else can(actor, Action.EDIT, fleet_pk)


def may_send(actor: Actor, fleet_pk: int | None) -> bool:
    """Whether the actor may have something sent to a node."""
    return actor.is_system_admin if fleet_pk is None else can(actor, Action.DISPATCH, fleet_pk)


def reachable(bridge: RadioBridge, *, now: datetime) -> list[RadioNode]:
    """For each vehicle that this bridge has heard lately, the node that was heard last; at most 2,000."""
    nodes = RadioNode.objects.filter(vehicle__deleted_at=None, vehicle__disabled_at=None).exclude(vehicle=None)
    heard = nodes.filter(heard_at__gt=now - HEARD_WITHIN).select_related("vehicle", "bridge").order_by("-heard_at")
    best: dict[int, RadioNode] = {}
    for node in heard[:2_000]:
        best.setdefault(node.vehicle_id or 0, node)
    return [node for node in best.values() if node.bridge_id == bridge.pk]
