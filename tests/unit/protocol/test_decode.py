import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from v2v.protocol import commands, fields
from v2v.protocol.codes import ErrorCode
from v2v.protocol.decode import Refusal, decode_dispatch_command, decode_vehicle_command

DECODERS = [decode_vehicle_command, decode_dispatch_command]
FIX = {"lat": 25.2, "lng": 55.3}


def refusal(raw: bytes | str) -> Refusal:
    """How a vehicle's message is refused."""
    with pytest.raises(Refusal) as caught:
        decode_vehicle_command(raw if isinstance(raw, bytes) else raw.encode())
    return caught.value


def refused(event: str, data: object, **envelope: object) -> tuple[str, str]:
    """Code and field of the refusal."""
    error = refusal(json.dumps({"event": event, "data": data, **envelope}))
    assert error.details is not None
    assert error.details["issue"]
    return error.code, error.details["field"]


# ---- Nothing makes it raise anything else

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
names = sorted({kind.__struct_config__.tag for decoder in DECODERS for kind in decoder.types})
keys = st.sampled_from(
    sorted({key for decoder in DECODERS for kind in decoder.types for key in msgspec.structs.fields(kind)}, key=str)
).map(lambda field: field.encode_name)
messages = st.fixed_dictionaries(
    {
        "event": st.sampled_from(names) | json_values,
        "data": st.dictionaries(keys | st.text(), json_values) | json_values,
    },
    optional={"id": json_values, "ts": json_values, "ttlMs": json_values},
)


@pytest.mark.parametrize("decode", DECODERS)
@given(st.binary(max_size=300))
@example(b"")
@example(b"\xff\xfe")
@example(b'{"event":')
def test_no_bytes_raise_anything_but_a_refusal(decode: Any, raw: bytes) -> None:
    try:
        decode(raw)
    except Refusal as error:
        assert error.code in ErrorCode


@pytest.mark.parametrize("decode", DECODERS)
@given(messages)
def test_no_message_raises_anything_but_a_refusal(decode: Any, message: object) -> None:
    try:
        decode(json.dumps(message).encode())
    except Refusal as error:
        assert error.code in ErrorCode
        json.dumps(error.details, allow_nan=False).encode()


# ---- What goes out comes in


def limits(kind: Any) -> st.SearchStrategy[Any]:
    """Values of an annotated type, its limits included."""
    return st.from_type(kind)


texts = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=40)
ids = st.from_regex(r"[A-Za-z0-9._-]{3,40}", fullmatch=True)
latitudes, longitudes = st.floats(-90, 90), st.floats(-180, 180)
percents = st.none() | st.floats(0, 100)
SPECIAL: dict[type, st.SearchStrategy[Any]] = {
    commands.SendMessageData: st.builds(commands.SendMessageData, content=texts, recipient_id=ids)
    | st.builds(commands.SendMessageData, content=texts, broadcast=st.just(True))
    | st.builds(commands.SendMessageData, content=st.just('{"a":1}'), content_type=st.just("json"), recipient_id=ids),
    commands.EmergencyAlertData: st.builds(commands.EmergencyAlertData, message=st.none() | texts)
    | st.builds(commands.EmergencyAlertData, lat=latitudes, lng=longitudes, radius_m=st.floats(1, 100_000)),
    commands.LocationData: st.builds(
        commands.LocationData,
        lat=latitudes,
        lng=longitudes,
        ts=st.none() | st.integers(0, fields.MAX_EPOCH_MS),
        speed=st.none() | st.floats(0, 200),
        heading=st.none() | st.floats(0, 360),
        accuracy=st.none() | st.floats(0, 100_000),
        altitude=st.none() | st.floats(-1000, 20_000),
        battery=percents,
        signal=percents,
        ignition=st.none() | st.booleans(),
        alarm=st.sampled_from([None, "crash", "medical", "breakdown", "hazard", "security", "other"]),
    ),
}
