"""What clients may send: one type a message. Unknown keys are refused; names on the wire are camelCase."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from v2v.protocol.fields import (
    MAX_DELIVERED_AT_ONCE,
    MAX_FOLLOWED,
    AccuracyM,
    AltitudeM,
    Candidate,
    Content,
    DeviceId,
    EpochMs,
    FleetSlug,
    Heading,
    Latitude,
    LockName,
    Longitude,
    MessageId,
    Name,
    ObjectId,
    Percent,
    RadiusM,
    Sdp,
    SettingText,
    SpeedMps,
    Token,
    TtlMs,
    VehicleId,
)

Media = Literal["audio", "video"]
RejectReason = Literal["declined", "busy"]
EndReason = Literal["hangup", "media_failure"]
AlertType = Literal["crash", "medical", "breakdown", "hazard", "security", "other"]
Severity = Literal["critical", "high", "medium", "low"]
Disposition = Literal["valid", "false"]


class Data(Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True, kw_only=True, gc=False):
    """The `data` of a command."""


class Command(
    Struct, rename="camel", forbid_unknown_fields=True, omit_defaults=True, kw_only=True, tag_field="event", gc=False
):
    """The envelope: `id` asks for an answer, `ts` is when it was sent, `ttl_ms` how long it is good for."""

    id: MessageId | None = None
    ts: EpochMs | None = None
    ttl_ms: TtlMs | None = None


class Empty(Data):
    """No data."""


class VehicleInfo(Data):
    """What a vehicle is, as it says itself."""

    type: Name = ""
    plate: Name = ""
    make: Name = ""
    model: Name = ""
    color: Name = ""


class RegisterData(Data):
    """Who connects. The token may come in the upgrade's Authorization header instead."""

    vehicle_id: VehicleId
    token: Token | None = None
    device_id: DeviceId | None = None
    driver_name: Name | None = None
    vehicle_info: VehicleInfo | None = None


class Register(Command, tag="register"):
    """The first message of a vehicle."""

    data: RegisterData


class HeartbeatData(Data):
    """Telemetry that may go with a sign of life; percent."""

    battery: Percent | None = None
    signal: Percent | None = None


class Heartbeat(Command, tag="heartbeat"):
    """A sign of life; answered by `heartbeat_ack`."""

    data: HeartbeatData


class LocationData(Data):
    """A fix. `alarm` and `ignition` mark one that is never coalesced away."""

    lat: Latitude
    lng: Longitude
    ts: EpochMs | None = None
    speed: SpeedMps | None = None
    heading: Heading | None = None
    accuracy: AccuracyM | None = None
    altitude: AltitudeM | None = None
    battery: Percent | None = None
    signal: Percent | None = None
    ignition: bool | None = None
    alarm: AlertType | None = None


class LocationUpdate(Command, tag="location_update"):
    """Where the vehicle is; answered only when it carries an id or is wrong."""

    data: LocationData


class NearbyRefreshData(Data):
    """A dispatcher names the vehicle; a vehicle asks for itself."""

    vehicle_id: VehicleId | None = None
    radius_m: RadiusM | None = None


class NearbyRefresh(Command, tag="nearby_refresh"):
    """Who is near, computed now; answered by `nearby_snapshot`."""

    data: NearbyRefreshData


class SendMessageData(Data):
    """To one vehicle (or `dispatch`), or to all of the fleet, which a dispatcher of several names."""

    content: Annotated[Content, Meta(min_length=1)]
    content_type: Literal["text", "json"] = "text"
    recipient_id: VehicleId | None = None
    broadcast: bool = False
    fleet: FleetSlug | None = None

    def __post_init__(self) -> None:
        """Refuse what no field can refuse alone."""
        if self.broadcast == (self.recipient_id is not None):
            raise ValueError("name a recipientId, or set broadcast to true")
        if self.content_type == "json":
            try:
                msgspec.json.decode(self.content)
            except msgspec.DecodeError as error:
                raise ValueError("content is not JSON") from error


class SendMessage(Command, tag="send_message"):
    """A message that is stored and forwarded."""

    data: SendMessageData


class MessageDeliveredData(Data):
    """The messages that came."""

    message_ids: Annotated[list[ObjectId], Meta(min_length=1, max_length=MAX_DELIVERED_AT_ONCE)]


class MessageDelivered(Command, tag="message_delivered"):
    """The receiver has them: the sender is told. Ids that are not the receiver's are passed over."""

    data: MessageDeliveredData


class MessageReadData(Data):
    """The message that was read."""

    message_id: ObjectId


class MessageRead(Command, tag="message_read"):
    """The receiver has read it: the first who does counts."""

    data: MessageReadData


class EmergencyAlertData(Data):
    """What happened; where, when it is known; how far it matters; whether it is only a drill.

    `alert_id` names an active alert of the sender's own: what else is given brings that one up to date.
    """

    alert_id: ObjectId | None = None
    type: AlertType | None = None
    severity: Severity | None = None
    message: Content | None = None
    lat: Latitude | None = None
    lng: Longitude | None = None
    radius_m: RadiusM | None = None
    drill: bool = False

    def __post_init__(self) -> None:
        """Half a position is none."""
        if (self.lat is None) != (self.lng is None):
            raise ValueError("lat and lng belong together")


class EmergencyAlert(Command, tag="emergency_alert"):
    """A call for help; `other` and `critical` when it does not say more."""

    data: EmergencyAlertData


class AlertIdData(Data):
    """The alert that is meant."""

    alert_id: ObjectId


class AlertCancel(Command, tag="alert_cancel"):
    """The sender takes its alert back."""

    data: AlertIdData


class CallInitiateData(Data):
    """Whom to ring: a vehicle, or `dispatch`."""

    callee_id: VehicleId
    media: Media = "audio"


class CallInitiate(Command, tag="call_initiate"):
    """Ring somebody: every device of a vehicle, or every dispatcher of the fleet."""

    data: CallInitiateData


class CallIdData(Data):
    """The call that is meant."""

    call_id: ObjectId


class CallAnswer(Command, tag="call_answer"):
    """Take a call that rings; the first who does gets it."""

    data: CallIdData


class SessionDescriptionData(Data):
    """A session description of one call (RFC 8866)."""

    call_id: ObjectId
    sdp: Sdp


class WebrtcOffer(Command, tag="webrtc_offer"):
    """Relayed to the other device of the call; while it rings, from the caller to all that ring."""

    data: SessionDescriptionData


class WebrtcAnswer(Command, tag="webrtc_answer"):
    """Relayed to the other device of the call; takes the call first, while it rings."""

    data: SessionDescriptionData


class IceCandidateData(Data):
    """An ICE candidate of one call; an empty one ends them."""

    call_id: ObjectId
    candidate: Candidate
    sdp_mid: Name | None = None
    sdp_m_line_index: Annotated[int, Meta(ge=0, le=64)] | None = None
    username_fragment: Name | None = None


class WebrtcIceCandidate(Command, tag="webrtc_ice_candidate"):
    """Relayed as `webrtc_offer` is."""

    data: IceCandidateData


class CallRejectData(Data):
    """Which call, and why."""

    call_id: ObjectId
    reason: RejectReason = "declined"


class CallReject(Command, tag="call_reject"):
    """The callee does not take the call; of several dispatchers it rings on at the others."""

    data: CallRejectData


class CallEndData(Data):
    """Which call, and why: `media_failure` when the two could not hear each other."""

    call_id: ObjectId
    reason: EndReason = "hangup"


class CallEnd(Command, tag="call_end"):
    """Either party hangs up."""

    data: CallEndData


class SettingsUpdateData(Data):
    """One setting."""

    key: Literal["theme", "distanceUnit", "alertFilter", "sound", "language"]
    value: SettingText | int | float | bool | None


class SettingsUpdate(Command, tag="settings_update"):
    """Keep one setting."""

    data: SettingsUpdateData


# ---- Dispatchers only


class AlertAck(Command, tag="alert_ack"):
    """A dispatcher takes notice of an alert."""

    data: AlertIdData


class AlertDisplayed(Command, tag="alert_displayed"):
    """A dispatcher's screen shows an alert; its sender is told."""

    data: AlertIdData


class AlertAssignData(Data):
    """Who is to work on the alert. To take it from somebody, name them in `replaces`."""

    alert_id: ObjectId
    assignee: Annotated[Name, Meta(min_length=1)]
    replaces: Name | None = None


class AlertAssign(Command, tag="alert_assign"):
    """A dispatcher gives an alert to somebody."""

    data: AlertAssignData


class AlertResolveData(Data):
    """How the alert ended; a false one needs a note."""

    alert_id: ObjectId
    disposition: Disposition
    note: Content | None = None


class AlertResolve(Command, tag="alert_resolve"):
    """A dispatcher closes an alert."""

    data: AlertResolveData


class AlertNegateData(Data):
    """Why somebody other than the sender says that it is over."""

    alert_id: ObjectId
    note: Content | None = None


class AlertNegate(Command, tag="alert_negate"):
    """A dispatcher declares an alert to be over on somebody's word, without having worked it."""

    data: AlertNegateData


class AlertNoteData(Data):
    """A note on an alert."""

    alert_id: ObjectId
    note: Annotated[Content, Meta(min_length=1)]


class AlertNote(Command, tag="alert_note"):
    """A dispatcher notes something."""

    data: AlertNoteData


class LockData(Data):
    """What is to be locked, such as `alert:ID`."""

    resource: LockName


class LockAcquire(Command, tag="lock_acquire"):
    """Take a lock."""

    data: LockData


class LockExtend(Command, tag="lock_extend"):
    """Keep a lock."""

    data: LockData


class LockRelease(Command, tag="lock_release"):
    """Give a lock back."""

    data: LockData


class ViewSetData(Data):
    """West, south, east, north in degrees; west > east crosses the date line. `vehicle_ids` are followed anywhere."""

    bbox: tuple[Longitude, Latitude, Longitude, Latitude] | None = None
    vehicle_ids: Annotated[list[VehicleId], Meta(max_length=MAX_FOLLOWED)] = []


class ViewSet(Command, tag="view_set"):
    """The part of the map that a dispatcher sees, and vehicles that he follows wherever they are."""

    data: ViewSetData


CALL_COMMANDS = CallInitiate | CallAnswer | WebrtcOffer | WebrtcAnswer | WebrtcIceCandidate | CallReject | CallEnd
SHARED_COMMANDS = (
    Heartbeat | NearbyRefresh | SendMessage | MessageDelivered | MessageRead | SettingsUpdate | CALL_COMMANDS
)
VehicleCommand = Register | LocationUpdate | EmergencyAlert | AlertCancel | SHARED_COMMANDS
DispatchCommand = (
    AlertAck
    | AlertDisplayed
    | AlertAssign
    | AlertResolve
    | AlertNegate
    | AlertNote
    | LockAcquire
    | LockExtend
    | LockRelease
    | ViewSet
    | SHARED_COMMANDS
)
