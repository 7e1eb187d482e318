"""Commands at random, from their types and limits."""

from typing import Any

from hypothesis import reject
from hypothesis import strategies as st
from msgspec import inspect as mi

from v2v.protocol.fields import CANDIDATE_PATTERN, LOCK_PATTERN, SDP_PATTERN, VEHICLE_ID_PATTERN

_REGEXES = {
    VEHICLE_ID_PATTERN: r"[A-Za-z0-9._-]{3,40}",
    CANDIDATE_PATTERN: r"(candidate:[0-9]{1,10} 1 (udp|TCP) [0-9]{1,10} [0-9a-f.:]{7,39} [0-9]{1,5} typ host)?",
    SDP_PATTERN: r"v=0\r\n([a-z]=[!-~]{1,20}\r\n){0,3}",
    LOCK_PATTERN: r"[a-z_]{1,20}:[A-Za-z0-9._-]{1,64}",
}
_PRINTABLE = st.characters(exclude_categories=["Cc", "Cs"])


def values(kind: mi.Type) -> st.SearchStrategy[Any]:
    """Valid values of a type, those at its limits included."""
    match kind:
        case mi.UnionType(types=types):
            return st.one_of([values(each) for each in types])
        case mi.TupleType(item_types=items):
            return st.tuples(*[values(item) for item in items])
        case mi.StructType():
            return structs(kind)
        case mi.StrType():
            return texts(kind)
        case mi.FloatType() | mi.IntType():
            return numbers(kind)
        case mi.ListType(item_type=item):
            return st.lists(values(item), min_size=kind.min_length or 0, max_size=min(kind.max_length or 5, 5))
        case mi.LiteralType(values=options):
            return st.sampled_from(options)
    return st.booleans() if isinstance(kind, mi.BoolType) else st.none()


def texts(kind: mi.StrType) -> st.SearchStrategy[str]:
    if kind.pattern in _REGEXES:
        return st.from_regex(_REGEXES[kind.pattern], fullmatch=True)
    return st.text(_PRINTABLE, min_size=kind.min_length or 0, max_size=min(kind.max_length or 100, 100))


def numbers(kind: mi.FloatType | mi.IntType) -> st.SearchStrategy[float]:
    if isinstance(kind, mi.IntType):
        return st.integers(kind.ge if kind.ge is not None else -(2**53), kind.le if kind.le is not None else 2**53)
    low = kind.ge if kind.gt is None else kind.gt
    return st.floats(low, kind.le, exclude_min=kind.gt is not None, allow_nan=False, allow_infinity=False)


@st.composite
def structs(draw: st.DrawFn, kind: mi.StructType) -> Any:
    """Valid structs; what their own check refuses is not counted."""
    fields = {field.name: draw(values(field.type)) for field in kind.fields}
    try:
        return kind.cls(**fields)
    except ValueError:
        reject()


def commands(union: Any) -> st.SearchStrategy[Any]:
    """Any command of a union."""
    kinds = mi.type_info(union)
    assert isinstance(kinds, mi.UnionType)
    return st.one_of([values(kind) for kind in kinds.types])
