"""Every limit of every field: the value at it is taken, the one past it is refused by the field's name."""

import copy
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import inspect as mi

from tests.unit.protocol.examples import COMMANDS
from tests.unit.protocol.test_decode import refusal_or_none
from v2v.protocol.commands import DispatchCommand, VehicleCommand
from v2v.protocol.decode import decode_dispatch_command, decode_vehicle_command
from v2v.protocol.fields import CANDIDATE_PATTERN, SDP_PATTERN

DECODERS = {VehicleCommand: decode_vehicle_command, DispatchCommand: decode_dispatch_command}

# What the text of some patterns has to begin with.
BEGINNINGS = {SDP_PATTERN: "v=0\r\n", CANDIDATE_PATTERN: "candidate:1 1 udp 1 192.0.2.1 1 typ host "}


def bounds(kind: mi.Type) -> Iterator[tuple[Any, bool]]:
    """Values at and past the limits of a type, and whether they are taken."""
    match kind:
        case mi.StrType():
            yield from text_bounds(kind)
        case mi.FloatType() | mi.IntType():
            yield from number_bounds(kind)
        case mi.LiteralType():
            yield "none of them", False


def text_bounds(kind: mi.StrType) -> Iterator[tuple[str, bool]]:
    if kind.max_length is not None:
        beginning = BEGINNINGS.get(kind.pattern or "", "")
        yield beginning.ljust(kind.max_length, "a"), True
        yield beginning.ljust(kind.max_length + 1, "a"), False
    if kind.min_length:
        yield "", False
    if kind.pattern is not None:
        yield "a\x00b", False
        yield "a\x9fb", False


def number_bounds(kind: mi.FloatType | mi.IntType) -> Iterator[tuple[float, bool]]:
    for limit, outward in ((kind.ge, -math.inf), (kind.le, math.inf)):
        if limit is not None:
            yield limit, True
            is_whole = isinstance(kind, mi.IntType)
            yield limit + math.copysign(1, outward) if is_whole else math.nextafter(limit, outward), False
    if kind.gt is not None:
        yield kind.gt, False


def cases() -> Iterator[Any]:
    """Decoder, event, path of the field, value, whether it is taken."""
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


@pytest.mark.parametrize(("decode", "event", "path", "value", "taken"), list(cases()))
def test_a_limit_is_kept(decode: Any, event: str, path: tuple[str, ...], value: Any, taken: bool) -> None:
    message = copy.deepcopy(COMMANDS[event])
    part = message
    for key in path[:-1]:
        part = part.setdefault(key, {})
    part[path[-1]] = int(value) if isinstance(value, float) and value.is_integer() else value
    error = refusal_or_none(json.dumps(message).encode(), decode)
    assert (error is None) == taken
    if error is not None:
        assert error.details is not None
        assert error.details["field"] == ".".join(path).removeprefix("data.")
