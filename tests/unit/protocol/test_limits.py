"""Every limit of every field: the value at it is taken, the one past it is refused by the field's name."""

import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import inspect as mi

from tests.unit.protocol.examples import COMMANDS
from v2v.protocol.commands import DispatchCommand, VehicleCommand
from v2v.protocol.decode import Refusal, decode_dispatch_command, decode_vehicle_command

DECODERS = {VehicleCommand: decode_vehicle_command, DispatchCommand: decode_dispatch_command}


def bounds(kind: mi.Type) -> Iterator[tuple[Any, bool]]:
    """Values at and past the limits of a type, and whether they are taken."""
    match kind:
        case mi.UnionType(types=types):
            for each in types:
                yield from bounds(each)
        case mi.StrType(min_length=shortest, max_length=longest, pattern=pattern):
            filler = "a"
            if longest is not None:
                yield filler * longest, True
                yield filler * (longest + 1), False
            if shortest:
                yield "", False
            if pattern is not None:
                yield "a\x00b", False
                yield "a\x9fb", False
        case mi.FloatType(ge=low, le=high, gt=above) | mi.IntType(ge=low, le=high, gt=above):
            step = 1 if isinstance(kind, mi.IntType) else None
            for limit, outward in ((low, -math.inf), (high, math.inf)):
                if limit is not None:
                    yield limit, True
                    yield limit + math.copysign(step, outward) if step else math.nextafter(limit, outward), False
            if above is not None:
                yield above, False
        case mi.LiteralType():
            yield "none of them", False


def cases() -> Iterator[Any]:
    """(decoder, event, path of the field, value, whether it is taken)."""
    for union, decode in DECODERS.items():
        kinds = mi.type_info(union)
        assert isinstance(kinds, mi.UnionType)
        for kind in kinds.types:
            assert isinstance(kind, mi.StructType)
            for path, each in leaves(kind, ()):
                for value, taken in bounds(each):
                    name = f"{kind.tag}-{'.'.join(path)}-{str(value)[:12]!r}-{taken}"
                    yield pytest.param(decode, kind.tag, path, value, taken, id=name)


def leaves(kind: mi.StructType, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], mi.Type]]:
    for field in kind.fields:
        types = field.type.types if isinstance(field.type, mi.UnionType) else (field.type,)
        for each in types:
            if isinstance(each, mi.StructType):
                yield from leaves(each, (*path, field.encode_name))
            else:
                yield (*path, field.encode_name), each


@pytest.mark.parametrize(("decode", "event", "path", "value", "taken"), cases())
def test_a_limit_is_kept(decode: Any, event: str, path: tuple[str, ...], value: Any, taken: bool) -> None:
    message = json.loads(json.dumps(COMMANDS[event]))
    part = message
    for key in path[:-1]:
        part = part.setdefault(key, {})
    part[path[-1]] = value if not isinstance(value, float) or value % 1 else int(value)
    try:
        decode(json.dumps(message).encode())
    except Refusal as error:
        assert not taken
        assert error.details is not None
        assert error.details["field"] == ".".join(path).removeprefix("data.")
    else:
        assert taken
