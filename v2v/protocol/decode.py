"""From any bytes to a command, or to a coded refusal; nothing that a client sends makes it raise."""

import re
from typing import Any, Generic, TypeVar, get_args

import msgspec

from v2v.protocol.codes import ERRORS, ErrorCode
from v2v.protocol.commands import Command, DispatchCommand, LocationUpdate, Register, VehicleCommand
from v2v.protocol.fields import CLOCK_SKEW_MS, MAX_ID_CHARS

CommandT = TypeVar("CommandT", bound=Command)

_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]+)`")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>[^`]{0,64})")
_MAX_ISSUE_CHARS = 200


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
        return Refusal(_code_of(kind), details=_details_of(str(error)), command_id=message_id)


def _code_of(kind: type[Command]) -> ErrorCode:
    if kind is LocationUpdate:
        return ErrorCode.INVALID_LOCATION
    return ErrorCode.INVALID_REGISTER if kind is Register else ErrorCode.VALIDATION_ERROR


def _details_of(text: str) -> dict[str, str]:
    """The field and the issue in msgspec's sentence, as `data.lat` and `Expected ...`."""
    match = _PATH.search(text)
    path = match["path"].lstrip(".") if match else ""
    issue = _PATH.sub("", text)
    for pattern, words in ((_MISSING, "missing"), (_UNKNOWN, "unknown field")):
        if named := pattern.match(issue):
            path, issue = f"{path}.{named['field']}".lstrip("."), words
    return {"field": path.removeprefix("data.") or path, "issue": issue[:_MAX_ISSUE_CHARS]}


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
