"""The kinds of value that messages are made of, each with its limits."""

from typing import Annotated

from msgspec import Meta

MAX_FRAME_BYTES = 64 * 1024
MAX_ID_CHARS = 64
MAX_CONTENT_CHARS = 512
MAX_NAME_CHARS = 64
MAX_SETTING_CHARS = 256
MAX_SDP_CHARS = 32 * 1024
MAX_CANDIDATE_CHARS = 2048
MAX_EPOCH_MS = 4_102_444_800_000  # the year 2100: beyond it a clock is not skewed but broken
MAX_TTL_MS = 7 * 24 * 3600 * 1000
MAX_RADIUS_M = 100_000
CLOCK_SKEW_MS = 5 * 60 * 1000
MAX_DELIVERED_AT_ONCE = 200
MAX_FOLLOWED = 20
DISPATCH = "dispatch"  # whom a vehicle writes to or calls when it means its dispatchers; no vehicle is called so

# Python lets `$` match before a last newline; the look-ahead takes that back.
VEHICLE_ID_PATTERN = r"^[A-Za-z0-9._-]{3,40}$(?!\n)"
_LINE = r"^[^\x00-\x1f\x7f-\x9f]*$(?!\n)"
_TEXT = r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"  # new lines and tabs are text
# RFC 8839, 5.1; an empty one says that there are no more (W3C WebRTC, 4.8.1).
CANDIDATE_PATTERN = (
    r"^(candidate:[A-Za-z0-9+/]{1,32} [0-9]{1,5} [A-Za-z]{3,10} [0-9]{1,10} [A-Za-z0-9.:_%-]{1,255} [0-9]{1,5}"
    r" typ (host|srflx|prflx|relay)( [\x21-\x7e]+)*)?$(?!\n)"
)
SDP_PATTERN = r"^v=0\r?\n[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*$"  # RFC 8866 begins with the version
LOCK_PATTERN = r"^[a-z_]{1,20}:[A-Za-z0-9._-]{1,64}$(?!\n)"
PATTERN_WORDS = {
    VEHICLE_ID_PATTERN: "Expected 3 to 40 of A-Z a-z 0-9 . _ -",
    CANDIDATE_PATTERN: "Expected an ICE candidate, or nothing",
    SDP_PATTERN: "Expected a session description",
    LOCK_PATTERN: "Expected a kind and an id, such as alert:1",
    _LINE: "Expected one line without control characters",
    _TEXT: "Expected text without control characters",
}

MessageId = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS, pattern=_LINE)]
VehicleId = Annotated[str, Meta(pattern=VEHICLE_ID_PATTERN)]
DeviceId = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS, pattern=_LINE)]
ObjectId = Annotated[str, Meta(min_length=1, max_length=MAX_ID_CHARS, pattern=_LINE)]
Token = Annotated[str, Meta(min_length=1, max_length=4096, pattern=_LINE)]
Name = Annotated[str, Meta(max_length=MAX_NAME_CHARS, pattern=_LINE)]
Content = Annotated[str, Meta(max_length=MAX_CONTENT_CHARS, pattern=_TEXT)]
FleetSlug = Annotated[str, Meta(min_length=1, max_length=40, pattern=_LINE)]
Sdp = Annotated[str, Meta(max_length=MAX_SDP_CHARS, pattern=SDP_PATTERN)]
Candidate = Annotated[str, Meta(max_length=MAX_CANDIDATE_CHARS, pattern=CANDIDATE_PATTERN)]
LockName = Annotated[str, Meta(pattern=LOCK_PATTERN)]
SettingText = Annotated[str, Meta(max_length=MAX_SETTING_CHARS, pattern=_LINE)]

EpochMs = Annotated[int, Meta(ge=0, le=MAX_EPOCH_MS)]
TtlMs = Annotated[int, Meta(ge=1, le=MAX_TTL_MS)]
Latitude = Annotated[float, Meta(ge=-90, le=90)]  # degrees, WGS 84
Longitude = Annotated[float, Meta(ge=-180, le=180)]  # degrees, WGS 84
SpeedMps = Annotated[float, Meta(ge=0, le=200)]  # meters per second
Heading = Annotated[float, Meta(ge=0, le=360)]  # degrees clockwise from true north
AccuracyM = Annotated[float, Meta(ge=0, le=100_000)]
AltitudeM = Annotated[float, Meta(ge=-1000, le=20_000)]
Percent = Annotated[float, Meta(ge=0, le=100)]
RadiusM = Annotated[float, Meta(gt=0, le=MAX_RADIUS_M)]
