"""From any bytes to a command, or to a coded refusal; nothing that a client sends makes it raise."""

import re
from typing import Any, Generic, TypeVar, get_args

import msgspec

from v2v.protocol.codes import ERRORS, ErrorCode
from v2v.protocol.commands import Command, DispatchCommand, LocationData, LocationUpdate, Register, VehicleCommand
from v2v.protocol.fields import CLOCK_SKEW_MS, MAX_ID_CHARS, PATTERN_WORDS

CommandT = TypeVar("CommandT", bound=Command)

_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]+)`")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>[^`]{0,64})")
_MAX_ISSUE_CHARS = 200
_UNKNOWN_FIELD = "unknown field"
_PATTERN_ISSUES = {f"Expected `str` matching regex {pattern!r}": words for pattern, words in PATTERN_WORDS.items()}
_CODES: dict[type[Command], ErrorCode] = {
    LocationUpdate: ErrorCode.INVALID_LOCATION,
    Register: ErrorCode.INVALID_REGISTER,
}


class Refusal(Exception):
    """A command that was not taken: `code` of the contract, words for people, `details` for programs."""

    def __init__(
        self,
        code: ErrorCode,
        message: str | None = None,
        *,
        details: dict[str, Any] | None = None,
        command_id: str | None = None,
    ) -> None:
        self.code = code
        self.message = message or ERRORS[code].title
        self.details = details
        self.command_id = command_id
        super().__init__(self.message)


class Malformed(Refusal):
    """It was not even a JSON object with an event; a client that goes on like this is closed with 4400."""


class _Loose(msgspec.Struct):
    """As much of a refused message as the answer needs."""

    event: Any = None
    id: Any = None


class CommandDecoder(Generic[CommandT]):
    """Decodes the commands of one union of types."""

    def __init__(self, union: Any) -> None:
        self._decode = msgspec.json.Decoder(union).decode
        self.types: tuple[type[CommandT], ...] = get_args(union)
        self._events = {kind.__struct_config__.tag: kind for kind in self.types}

    def __call__(self, raw: bytes) -> CommandT:
        """The command in `raw`; raises Refusal, with the message's own id where it has one, and nothing else."""
        try:
            command: CommandT = self._decode(raw)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise self._refusal(raw, error) from None
        return command

    def _refusal(self, raw: bytes, error: Exception) -> Refusal:
        if isinstance(error, UnicodeDecodeError):
            return Malformed(ErrorCode.VALIDATION_ERROR, details={"field": "", "issue": "not UTF-8"})
        try:
            loose = msgspec.json.decode(raw, type=_Loose)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Malformed(ErrorCode.VALIDATION_ERROR, details={"field": "", "issue": "not a JSON object"})
        usable = isinstance(loose.id, str) and 0 < len(loose.id) <= MAX_ID_CHARS
        message_id = loose.id if usable else None
        if not isinstance(loose.event, str):
            details = {"field": "event", "issue": "missing or not a string"}
            return Malformed(ErrorCode.VALIDATION_ERROR, details=details, command_id=message_id)
        kind = self._events.get(loose.event)
        if kind is None:
            details = {"event": loose.event[:MAX_ID_CHARS]}
            return Refusal(ErrorCode.UNKNOWN_EVENT, details=details, command_id=message_id)
        path, issue = _path_and_issue(str(error))
        # The envelope and unknown fields are the same matter for every command.
        is_of_data = path.partition(".")[0] == "data" and issue != _UNKNOWN_FIELD
        code = _CODES.get(kind, ErrorCode.VALIDATION_ERROR) if is_of_data else ErrorCode.VALIDATION_ERROR
        details = {"field": path.removeprefix("data.") or path, "issue": issue}
        return Refusal(code, details=details, command_id=message_id)


def _path_and_issue(text: str) -> tuple[str, str]:
    """Where and what, in msgspec's sentence: `data.lat`, and what was expected."""
    match = _PATH.search(text)
    path = match["path"].lstrip(".") if match else ""
    issue = _PATH.sub("", text)
    for pattern, words in ((_MISSING, "missing"), (_UNKNOWN, _UNKNOWN_FIELD)):
        if named := pattern.match(issue):
            path, issue = f"{path}.{named['field']}".lstrip("."), words
    return path, _PATTERN_ISSUES.get(issue, issue)[:_MAX_ISSUE_CHARS]


def decode_location(value: object) -> LocationData:
    """A fix that came otherwise than in a frame: a mapping with the names on the wire, or a LocationData that nobody
    has checked yet. Raises Refusal `invalid_location`.
    """
    plain = msgspec.to_builtins(value) if isinstance(value, LocationData) else value
    try:
        return msgspec.convert(plain, LocationData)
    except msgspec.ValidationError as error:
        raise _location_refusal(error) from None


def check_time(command: Command, *, now_ms: int) -> None:
    """Refuse a command from a clock that is wrong, or one that is no longer good; 5 minutes of skew are tolerated."""
    if command.ts is None:
        return
    if command.ts > now_ms + CLOCK_SKEW_MS:
        raise Refusal(ErrorCode.CLOCK_SKEW, details={"serverTs": now_ms})
    if command.ts + (command.ttl_ms or 0) < now_ms - CLOCK_SKEW_MS:
        code = ErrorCode.EXPIRED if command.ttl_ms is not None else ErrorCode.CLOCK_SKEW
        raise Refusal(code, details={"serverTs": now_ms})


decode_vehicle_command: CommandDecoder[Any] = CommandDecoder(VehicleCommand)
decode_dispatch_command: CommandDecoder[Any] = CommandDecoder(DispatchCommand)


# ---- Positions without an envelope, as HTTP brings them

MAX_LOCATIONS = 1000  # in one request

_decode_locations = msgspec.json.Decoder(LocationData | list[LocationData]).decode
_decode_location = msgspec.json.Decoder(LocationData).decode
_decode_parts = msgspec.json.Decoder(list[msgspec.Raw]).decode


def decode_locations(raw: bytes) -> list[LocationData | Refusal]:
    """One position, or a list of up to 1,000, each by itself valid or refused.

    Raises Malformed for what is no JSON, and Refusal `validation_error` for a list that is empty or too long.
    """
    try:
        found = _decode_locations(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return [_location_or_refusal(bytes(part)) for part in _parts(raw)]
    if isinstance(found, LocationData):
        return [found]
    _check_length(found)
    return [*found]


def _parts(raw: bytes) -> list[msgspec.Raw]:
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
        if not raw.lstrip().startswith(b"["):
            return [msgspec.Raw(raw)]
        parts = _decode_parts(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise Malformed(ErrorCode.VALIDATION_ERROR, details={"field": "", "issue": "not JSON"}) from None
    _check_length(parts)
    return parts


def _check_length(parts: list[Any]) -> None:
    if not 1 <= len(parts) <= MAX_LOCATIONS:
        details = {"field": "", "issue": f"not 1 to {MAX_LOCATIONS} positions"}
        raise Refusal(ErrorCode.VALIDATION_ERROR, details=details)


def _location_or_refusal(raw: bytes) -> LocationData | Refusal:
    try:
        return _decode_location(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        return _location_refusal(error)


def _location_refusal(error: Exception) -> Refusal:
    path, issue = _path_and_issue(str(error))
    code = ErrorCode.VALIDATION_ERROR if issue == _UNKNOWN_FIELD else ErrorCode.INVALID_LOCATION
    return Refusal(code, details={"field": path, "issue": issue})
