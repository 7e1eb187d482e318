"""Commands at random, from their types and limits."""

from typing import Any

from hypothesis import reject
from hypothesis import strategies as st
from msgspec import inspect as mi

from v2v.protocol.fields import LOCK_PATTERN, VEHICLE_ID_PATTERN

_REGEXES = {
    VEHICLE_ID_PATTERN: r"[A-Za-z0-9._-]{3,40}",
    LOCK_PATTERN: r"[a-z_]{1,20}:[A-Za-z0-9._-]{1,64}",
}
_PRINTABLE = st.characters(exclude_categories=["Cc", "Cs"])


def values(kind: mi.Type) -> st.SearchStrategy[Any]:
    """Valid values of a type, those at its limits included."""
    match kind:
        case mi.StrType(pattern=str() as pattern) if pattern in _REGEXES:
            return st.from_regex(_REGEXES[pattern], fullmatch=True)
        case mi.StrType(min_length=shortest, max_length=longest):
            return st.text(_PRINTABLE, min_size=shortest or 0, max_size=min(longest or 100, 100))
        case mi.IntType(ge=low, le=high):
            return st.integers(-(2**53) if low is None else low, 2**53 if high is None else high)
        case mi.FloatType(ge=low, gt=above, le=high):
            least = low if above is None else above
            return st.floats(least, high, exclude_min=above is not None, allow_nan=False, allow_infinity=False)
        case mi.BoolType():
            return st.booleans()
        case mi.NoneType():
            return st.none()
        case mi.LiteralType(values=options):
            return st.sampled_from(options)
        case mi.UnionType(types=types):
            return st.one_of([values(each) for each in types])
        case mi.TupleType(item_types=items):
            return st.tuples(*[values(item) for item in items])
        case mi.StructType():
            return structs(kind)
    raise NotImplementedError(kind)


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
