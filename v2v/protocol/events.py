"""What the server sends: one type a message, encoded once however many receive it. Names on the wire are camelCase."""

from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

PresenceStatus = Literal["online", "timeout", "offline"]
AlertVia = Literal["ws", "radio", "rule", "api"]
AlertState = Literal["open", "acknowledged", "assigned", "resolved", "cancelled", "negated"]
AlertChange = Literal[
    "raised",
    "updated",
    "worsened",
    "displayed",
    "acknowledged",
    "assigned",
    "noted",
    "escalated",
    "resolved",
    "cancelled",
    "negated",
]
CallStateName = Literal["ringing", "active", "ended", "missed", "rejected", "failed"]
CallSide = Literal["caller", "callee"]
GeofenceKind = Literal["polygon", "circle"]
GeofenceHappening = Literal["enter", "exit", "dwell", "speed", "too_few", "enough"]
MessageStatusName = Literal["queued", "delivered", "read", "expired"]


class Part(Struct, rename="camel", omit_defaults=True, kw_only=True, gc=False):
    """A part of an event's data; what is unknown is left out."""


class Peer(Part, kw_only=True):
    """A vehicle's position; degrees, epoch milliseconds, meters per second."""

    vehicle_id: str
    lat: float
    lng: float
    ts: int
    speed: float | None = None
    heading: float | None = None


class TrackedPeer(Peer, kw_only=True):
    """A position as dispatchers see it: with the telemetry that was reported; percent."""

    battery: float | None = None
    signal: float | None = None


class NearbyPeer(Peer, kw_only=True):
    """A neighbor: meters and degrees from the one who asked; when it was last heard (epoch milliseconds)."""

    distance_m: float
    bearing: float
    last_seen: int


class VehicleState(Part):
    """A vehicle in a dispatcher's snapshot."""

    vehicle_id: str
    fleet: str
    status: PresenceStatus
    last_seen: int | None = None
    driver_name: str | None = None
    type: str | None = None
    lat: float | None = None
    lng: float | None = None
    ts: int | None = None
    speed: float | None = None
    heading: float | None = None
    battery: float | None = None
    signal: float | None = None


class FleetPart(Part):
    """A fleet that a dispatcher may see."""

    slug: str
    name: str


class AlertPart(Part):
    """An active alert. `ts` is when it happened, `position_ts` when it was there (epoch milliseconds).

    `position_stale`: it has moved on since, perhaps. `cause_code` is that of ETSI DENM. `radius_m`: how far it matters;
    without it, to the whole fleet. Who sent it is a vehicle or, where none did, a user. `waiting_since`: since when
    nobody has answered, while that is so. `displayed`: a dispatcher's screen has shown it.
    """

    alert_id: str
    fleet: str
    sender_id: str
    type: str
    severity: str
    ts: int
    via: AlertVia
    state: AlertState
    acknowledged: bool
    cause_code: int
    vehicle_info: dict[str, str] = msgspec.field(default_factory=dict)
    message: str | None = None
    lat: float | None = None
    lng: float | None = None
    position_ts: int | None = None
    position_stale: bool = False
    radius_m: float | None = None
    drill: bool = False
    acknowledged_by: str | None = None
    assignee: str | None = None
    escalation_level: int = 0
    waiting_since: int | None = None
    displayed: bool = False
    distance_m: float | None = None


class MessagePart(Part):
    """A message. `sender_id` and `recipient_id` are vehicles, or `dispatch`; a broadcast names no recipient.

    The same one may come again after a connection was lost: `message_id` tells. `ts` is when it was sent, by the
    sender's clock; `via` says which way it came.
    """

    message_id: str
    sender_id: str
    content: str
    content_type: str
    ts: int
    via: str
    sender_name: str | None = None
    recipient_id: str | None = None
    broadcast: bool = False
    fleet: str | None = None


class IceServer(Part):
    """A STUN or TURN server as RTCPeerConnection takes it; the credentials are good for a while."""

    urls: list[str]
    username: str | None = None
    credential: str | None = None


class CallPart(Part):
    """A call; times are epoch milliseconds. `caller_id` and `callee_id` are vehicles, or `dispatch`.

    `caller_name` is the driver or the dispatcher, `answered_by` the device of the vehicle or the dispatcher. In a
    snapshot `side` says what this connection is in it, or may become by answering, and `ice_servers` come with it.
    """

    call_id: str
    fleet: str
    caller_id: str
    callee_id: str
    media: str
    state: CallStateName
    started_at: int
    caller_name: str | None = None
    ring_until: int | None = None
    answered_by: str | None = None
    answered_at: int | None = None
    ended_at: int | None = None
    end_reason: str | None = None
    side: CallSide | None = None
    ice_servers: list[IceServer] | None = None


class GeofencePart(Part):
    """A geofence: `geometry` is a GeoJSON Polygon, or the Point in the middle of a circle of `radius_m` meters."""

    geofence_id: int
    fleet: str
    name: str
    kind: GeofenceKind
    geometry: dict[str, Any]
    color: str
    version: int
    radius_m: float | None = None
    is_active: bool = True


class Event(Struct, rename="camel", omit_defaults=True, kw_only=True, tag_field="event"):
    """The envelope."""


class Registered(Event, tag="registered"):
    """The whole state: who connects again needs nothing of what it missed."""

    class Data(Part):
        """For a vehicle `vehicle_id`, `device_id`, `nearby`; for a dispatcher `fleets`, `vehicles`."""

        session_id: str
        heartbeat_interval_ms: int
        server_ts: int
        limits: dict[str, Any]
        vehicle_id: str | None = None
        device_id: str | None = None
        settings: dict[str, Any] = msgspec.field(default_factory=dict)
        alerts: list[AlertPart] | None = None
        calls: list[CallPart] | None = None
        messages: list[MessagePart] | None = None
        nearby: list[NearbyPeer] | None = None
        fleets: list[FleetPart] | None = None
        vehicles: list[VehicleState] | None = None

    data: Data


class Ack(Event, tag="ack"):
    """The command `id` is done, and stored if it is durable."""

    class Data(Part):
        """What was made, or what became of it."""

        id: str
        message_id: str | None = None
        alert_id: str | None = None
        call_id: str | None = None
        outcome: str | None = None
        ice_servers: list[IceServer] | None = None

    data: Data


class HeartbeatAck(Event, tag="heartbeat_ack"):
    """The answer to a heartbeat."""

    class Data(Part):
        """The server's clock, epoch milliseconds."""

        ts: int

    data: Data


class PresenceUpdate(Event, tag="presence_update"):
    """A vehicle came, fell silent, or went."""

    class Data(Part):
        """`last_seen` in epoch milliseconds."""

        vehicle_id: str
        status: PresenceStatus
        last_seen: int
        driver_name: str | None = None

    data: Data


class VehicleUpdated(Event, tag="vehicle_updated"):
    """A vehicle is new in a dispatcher's fleets, or back, or what is known of it has changed."""

    class Data(Part):
        """What the snapshot says of it beyond its state."""

        vehicle_id: str
        fleet: str
        driver_name: str | None = None
        type: str | None = None

    data: Data


class VehicleRemoved(Event, tag="vehicle_removed"):
    """A vehicle was deleted, disabled, or went to another fleet. What was on its way of it may still come."""

    class Data(Part):
        """Which one."""

        vehicle_id: str

    data: Data


class PeerLocations(Event, tag="peer_locations"):
    """Where a vehicle's neighbors are that moved since the last such frame."""

    class Data(Part):
        """One entry a neighbor."""

        peers: list[Peer]

    data: Data


class Locations(Event, tag="locations"):
    """Where the vehicles in a dispatcher's view are that moved since the last such frame."""

    class Data(Part):
        """One entry a vehicle."""

        peers: list[TrackedPeer]

    data: Data


class NearbySnapshot(Event, tag="nearby_snapshot"):
    """Everybody near, by distance."""

    class Data(Part):
        """`radius_m` in meters; `vehicle_id` is the one in the middle."""

        vehicle_id: str
        radius_m: float
        peers: list[NearbyPeer]

    data: Data


class ProximityEvent(Event, tag="proximity_event"):
    """A vehicle came near another, or left it. Dispatchers get both ids, a vehicle its peer's."""

    class Data(Part):
        """`distance_m` is left out when a position went away."""

        type: Literal["enter", "exit"]
        peer_vehicle_id: str
        ts: int
        distance_m: float | None = None
        vehicle_id: str | None = None

    data: Data


class GeofenceEvent(Event, tag="geofence_event"):
    """Something happened in a geofence. Comes to dispatchers only, once it is stored."""

    class Data(Part):
        """`ts` is when it began, `vehicle_id` who did it; `severity` is that of the alert that it raised besides.

        `value` is seconds inside (`exit`, `dwell`), meters per second (`speed`), or vehicles inside (`too_few`,
        `enough`).
        """

        type: GeofenceHappening
        geofence_id: int
        name: str
        fleet: str
        ts: int
        vehicle_id: str | None = None
        value: float | None = None
        severity: str | None = None

    data: Data


class GeofenceUpdated(Event, tag="geofence_updated"):
    """A geofence is new in a dispatcher's fleets, or has changed."""

    data: GeofencePart


class GeofenceRemoved(Event, tag="geofence_removed"):
    """A geofence was deleted."""

    class Data(Part):
        """Which one."""

        geofence_id: int
        fleet: str

    data: Data


class EmergencyAlert(Event, tag="emergency_alert"):
    """Somebody needs help; or what is known of it has changed, when the alert is known already."""

    data: AlertPart


class AlertUpdated(Event, tag="alert_updated"):
    """Something was done about an alert."""

    class Data(Part):
        """`state` is the alert's after it, `change` what was done, `by` who did it. Notes go to dispatchers only."""

        alert_id: str
        state: AlertState
        change: AlertChange
        ts: int
        by: str | None = None
        assignee: str | None = None
        disposition: str | None = None
        note: str | None = None
        escalation_level: int = 0

    data: Data


class Message(Event, tag="message"):
    """A message from a vehicle or a dispatcher."""

    data: MessagePart


class MessageStatus(Event, tag="message_status"):
    """What became of a message that the receiver of this sent or got."""

    class Data(Part):
        """`recipient_id` is whom it went to, `via` which way; of a broadcast `counts` are all recipients by status.

        A status never goes back: a `delivered` that comes after `read` says nothing.
        """

        message_id: str
        status: MessageStatusName
        ts: int
        recipient_id: str | None = None
        counts: dict[str, int] | None = None
        via: str | None = None

    data: Data


class CallIncoming(Event, tag="call_incoming"):
    """It rings."""

    class Data(Part):
        """Until `ring_until` (epoch milliseconds). `caller_name` is the driver or the dispatcher."""

        call_id: str
        fleet: str
        caller_id: str
        callee_id: str
        media: str
        started_at: int
        ring_until: int
        ice_servers: list[IceServer]
        caller_name: str | None = None

    data: Data


class CallState(Event, tag="call_state"):
    """A call's state changed. Both sides are told, on all their devices, and the fleet's dispatchers."""

    data: CallPart


class SessionDescription(Part):
    """A session description of a call (RFC 8866), and who sent it: a vehicle, or `dispatch`."""

    call_id: str
    sender_id: str
    sdp: str


class WebrtcOffer(Event, tag="webrtc_offer"):
    """The other device of the call offers its media."""

    data: SessionDescription


class WebrtcAnswer(Event, tag="webrtc_answer"):
    """The other device of the call answers the offer."""

    data: SessionDescription


class WebrtcIceCandidate(Event, tag="webrtc_ice_candidate"):
    """Where the other device of the call may be reached."""

    class Data(Part):
        """As RTCPeerConnection takes it; an empty candidate ends them."""

        call_id: str
        sender_id: str
        candidate: str
        sdp_mid: str | None = None
        sdp_m_line_index: int | None = None
        username_fragment: str | None = None

    data: Data


class LockAcquired(Event, tag="lock_acquired"):
    """The lock is the receiver's until it expires, unless it is extended; `fencing_token` goes up with each holder."""

    class Data(Part):
        """`expires_at` in epoch milliseconds."""

        resource: str
        holder: str
        expires_at: int
        fencing_token: int

    data: Data


class LockDenied(Event, tag="lock_denied"):
    """Somebody else holds the lock."""

    class Data(Part):
        """Who, and until when (epoch milliseconds)."""

        resource: str
        holder: str
        expires_at: int

    data: Data


class LockReleased(Event, tag="lock_released"):
    """The holder has given the lock back."""

    class Data(Part):
        """Which lock; who held it."""

        resource: str
        holder: str

    data: Data


class LockExpired(Event, tag="lock_expired"):
    """The holder has let the lock run out."""

    class Data(Part):
        """Which lock; who held it."""

        resource: str
        holder: str

    data: Data


class RadioText(Event, tag="radio_text"):
    """A text that came by radio; `rssi` in dBm."""

    class Data(Part):
        """`sender_short` is the radio address; `vehicle_id` whose radio it is, where that is known."""

        sender_short: int
        content: str
        rssi: float | None = None
        vehicle_id: str | None = None

    data: Data


class ServerShutdown(Event, tag="server_shutdown"):
    """The server stops; come back after so many milliseconds."""

    class Data(Part):
        """Different for each receiver, so that they do not all come back at once."""

        reconnect_in_ms: int

    data: Data


class TokenExpiring(Event, tag="token_expiring"):
    """Register again with a fresh token on this connection, or it is closed with 4401 when this one ends."""

    class Data(Part):
        """Epoch milliseconds."""

        expires_at: int

    data: Data


class Error(Event, tag="error"):
    """A command was refused, or the connection is about to be closed."""

    class Data(Part):
        """`code` of the contract; `id` of the command, when it had one."""

        code: str
        message: str
        ts: int
        details: dict[str, Any] | None = None
        id: str | None = None

    data: Data


ServerEvent = (
    Registered
    | Ack
    | HeartbeatAck
    | PresenceUpdate
    | VehicleUpdated
    | VehicleRemoved
    | PeerLocations
    | Locations
    | NearbySnapshot
    | ProximityEvent
    | GeofenceEvent
    | GeofenceUpdated
    | GeofenceRemoved
    | EmergencyAlert
    | AlertUpdated
    | Message
    | MessageStatus
    | CallIncoming
    | CallState
    | WebrtcOffer
    | WebrtcAnswer
    | WebrtcIceCandidate
    | LockAcquired
    | LockDenied
    | LockReleased
    | LockExpired
    | RadioText
    | ServerShutdown
    | TokenExpiring
    | Error
)

encode_part = msgspec.json.Encoder().encode
encode_event = msgspec.json.Encoder().encode

# A frame of positions is put together from parts that were encoded once for all receivers.
_PEER_LOCATIONS_HEAD = b'{"event":"peer_locations","data":{"peers":['
_LOCATIONS_HEAD = b'{"event":"locations","data":{"peers":['
_TAIL = b"]}}"


def peer_locations(parts: Iterable[bytes]) -> bytes:
    """The frame of a vehicle's neighbors from their encoded `Peer`s."""
    return _PEER_LOCATIONS_HEAD + b",".join(parts) + _TAIL


def locations(parts: Iterable[bytes]) -> bytes:
    """The frame of a dispatcher's vehicles from their encoded `TrackedPeer`s."""
    return _LOCATIONS_HEAD + b",".join(parts) + _TAIL


def with_distance(encoded: bytes, distance_m: float) -> bytes:
    """An encoded event without `distanceM`, with it: each receiver has its own."""
    return b'%b,"distanceM":%.1f}}' % (encoded[:-2], distance_m)


def numbered(encoded: bytes, seq: int) -> bytes:
    """An encoded event with the connection's running number, by which a client sees a gap."""
    return b'%b,"seq":%d}' % (encoded[:-1], seq)
