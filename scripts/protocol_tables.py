#!/usr/bin/env python
"""Write the tables of docs/protocol.md anew from the types and codes: `python scripts/protocol_tables.py`."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast, get_args

from msgspec import inspect as mi

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from v2v.client.pending import DURABLE  # noqa: E402
from v2v.protocol import commands, events, fields  # noqa: E402
from v2v.protocol.codes import CLOSES, ERRORS  # noqa: E402
from v2v.realtime.config import EngineConfig  # noqa: E402

PAGE = ROOT / "docs" / "protocol.md"
_BLOCK = re.compile(r"(<!-- table: (?P<name>\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)
_WORDS = {fields.VEHICLE_ID_PATTERN: "vehicle id", fields.LOCK_PATTERN: "lock name"}


def with_tables(page: str) -> str:
    """The page with each table between its two marks made anew."""
    return _BLOCK.sub(lambda found: found[1] + "\n" + "\n".join(TABLES[found["name"]]()) + "\n\n" + found[3], page)


def errors() -> Iterator[str]:
    """Code, what happened, what to do, and the status of HTTP."""
    yield "| code | what happened | what to do | HTTP |"
    yield "|---|---|---|---|"
    for code, text in ERRORS.items():
        yield f"| `{code}` | {text.title} | {text.advice} | {text.http_status} |"


def closes() -> Iterator[str]:
    """Code, reason, and whether to come back."""
    yield "| code | reason | connect again? |"
    yield "|---|---|---|"
    for code, text in CLOSES.items():
        yield f"| {int(code)} | {text.reason} | {'yes' if text.reconnect else 'no'} |"


def limits() -> Iterator[str]:
    """How often something may be sent."""
    config = EngineConfig()
    rows = {
        "`location_update`": config.location,
        "`send_message`": config.message,
        "`call_initiate`": config.call,
        "`webrtc_offer`, `webrtc_answer`, `webrtc_ice_candidate`": config.signalling,
        "`emergency_alert`": config.emergency,
        "`emergency_alert` with an `alertId`": config.alert_update,
        "`nearby_refresh`": config.refresh,
        "any other command": config.other,
        "refused messages, then closed with 4429": config.refused,
    }
    yield "| what | sustained | at once |"
    yield "|---|---|---|"
    for what, limit in rows.items():
        rate = f"{limit.rate:g} a second" if limit.rate >= 1 else f"1 in {1 / limit.rate:g} s"
        yield f"| {what} | {rate} | {limit.burst:g} |"


def vehicle_commands() -> Iterator[str]:
    """What a vehicle may send."""
    return _commands([kind for kind in get_args(commands.VehicleCommand) if kind not in _shared()])


def shared_commands() -> Iterator[str]:
    """What both may send."""
    return _commands([kind for kind in get_args(commands.VehicleCommand) if kind in _shared()])


def dispatch_commands() -> Iterator[str]:
    """What a dispatcher may send."""
    return _commands([kind for kind in get_args(commands.DispatchCommand) if kind not in _shared()])


def server_events() -> Iterator[str]:
    """What the server sends."""
    yield "| event | says | data |"
    yield "|---|---|---|"
    for kind in get_args(events.ServerEvent):
        yield f"| `{kind.__struct_config__.tag}` | {_first_line(kind)} | {_fields(_data(kind), limited=False)} |"


def _commands(kinds: list[type[commands.Command]]) -> Iterator[str]:
    yield "| command | does | data |"
    yield "|---|---|---|"
    for kind in kinds:
        name = f"`{kind.__struct_config__.tag}`{' **D**' if kind in DURABLE else ''}"
        yield f"| {name} | {_first_line(kind)} | {_fields(_data(kind), limited=True)} |"


def _shared() -> set[type[commands.Command]]:
    return set(get_args(commands.SHARED_COMMANDS))


def _first_line(kind: type) -> str:
    return (kind.__doc__ or "").splitlines()[0]


def _data(kind: type) -> mi.StructType:
    return cast("mi.StructType", mi.type_info(kind.__annotations__["data"]))


def _fields(struct: mi.StructType, *, limited: bool) -> str:
    texts = [
        f"`{field.encode_name}{'' if field.required else '?'}` {_kind(field.type, limited)}" for field in struct.fields
    ]
    return ", ".join(text.strip() for text in texts) or "nothing"


def _kind(kind: mi.Type, limited: bool) -> str:
    match kind:
        case mi.UnionType(types=types):
            named = [_kind(each, limited) for each in types if not isinstance(each, mi.NoneType)]
            return " or ".join(dict.fromkeys(named))
        case mi.StrType(pattern=pattern, max_length=longest):
            words = _WORDS.get(pattern or "", "text")
            return f"{words} ≤ {longest}" if limited and longest else words
        case mi.FloatType() | mi.IntType():
            return (
                ("number" if isinstance(kind, mi.FloatType) else "integer") + (_range(kind) if limited else "")
            ).strip()
        case mi.BoolType():
            return "true or false"
        case mi.LiteralType(values=options):
            return " / ".join(f"`{option}`" for option in options)
        case mi.TupleType(item_types=items):
            return f"{len(items)} numbers"
        case mi.ListType(item_type=item):
            return "list of " + _kind(item, limited) if not isinstance(item, mi.AnyType) else "list"
        case mi.StructType():
            return "{" + _fields(kind, limited=limited) + "}"
    return "object"


def _range(kind: mi.FloatType | mi.IntType) -> str:
    if kind.gt is not None:
        return f" > {kind.gt:g}, ≤ {kind.le:,g}"
    if kind.ge is None and kind.le is None:
        return ""
    return " epoch ms" if kind.le == fields.MAX_EPOCH_MS else f" {kind.ge:g} to {kind.le:g}"


TABLES: dict[str, Callable[[], Any]] = {
    "errors": errors,
    "closes": closes,
    "limits": limits,
    "vehicle_commands": vehicle_commands,
    "shared_commands": shared_commands,
    "dispatch_commands": dispatch_commands,
    "server_events": server_events,
}

if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
