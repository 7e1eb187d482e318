import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.unit.protocol.strategies import commands
from v2v.protocol.codes import ErrorCode
from v2v.protocol.commands import DispatchCommand, Heartbeat, LocationData, LocationUpdate, VehicleCommand
from v2v.protocol.decode import (
    Malformed,
    Refusal,
    decode_dispatch_command,
    decode_locations,
    decode_vehicle_command,
)

DECODERS = [decode_vehicle_command, decode_dispatch_command]


def refusal(raw: bytes, decode: Any = decode_vehicle_command) -> Refusal:
    """How a message is refused."""
    with pytest.raises(Refusal) as caught:
        decode(raw)
    return caught.value


def refusal_or_none(raw: bytes, decode: Any) -> Refusal | None:
    """How a message is refused, if it is."""
    try:
        decode(raw)
    except Refusal as error:
        return error
    return None


# ---- Whatever comes, nothing but a refusal

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
tags = sorted({str(kind.__struct_config__.tag) for decode in DECODERS for kind in decode.types})
keys = ["lat", "lng", "vehicleId", "token", "content", "recipientId", "broadcast", "contentType", "bbox", "value"]
messages = st.fixed_dictionaries(
    {
        "event": st.sampled_from(tags) | json_values,
        "data": st.dictionaries(st.sampled_from(keys) | st.text(), json_values, max_size=5) | json_values,
    },
    optional={"id": json_values, "ts": json_values, "ttlMs": json_values, "more": json_values},
)


@pytest.mark.parametrize("decode", DECODERS)
@given(st.binary(max_size=300))
@example(b"")
@example(b"\xff\xfe")
@example(b'{"event":')
@example(b'{"event":"heartbeat","data":{}} {}')
@example(b'\xef\xbb\xbf{"event":"heartbeat","data":{}}')
def test_no_bytes_raise_anything_but_a_refusal(decode: Any, raw: bytes) -> None:
    assert isinstance(refusal(raw, decode), Malformed)


@pytest.mark.parametrize("decode", DECODERS)
@given(message=messages)
def test_no_message_raises_anything_but_a_refusal(decode: Any, message: object) -> None:
    error = refusal_or_none(json.dumps(message).encode(), decode)
    assert error is None or error.code in ErrorCode
    json.dumps(error and error.details, allow_nan=False)


@pytest.mark.parametrize("union", [VehicleCommand, DispatchCommand])
@given(data=st.data())
@settings(suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
def test_every_command_comes_back_as_it_went(union: Any, data: st.DataObject) -> None:
    decode = decode_vehicle_command if union is VehicleCommand else decode_dispatch_command
    command = data.draw(commands(union))
    assert decode(msgspec.json.encode(command)) == command


# ---- Refusals say what and where


def location(lat: str = "25", lng: str = "55", more: str = "") -> bytes:
    return f'{{"event":"location_update","data":{{"lat":{lat},"lng":{lng}{more}}}}}'.encode()


def message(data: str, envelope: str = "") -> bytes:
    return f'{{"event":"send_message","data":{{{data}}}{envelope}}}'.encode()


NOT_JSON = ("validation_error", "", "not a JSON object")
MALFORMED = [
    (location("NaN"), NOT_JSON),
    (location("-Infinity"), NOT_JSON),
    (location("0x10"), NOT_JSON),
    (location("01"), NOT_JSON),
    (message('"broadcast":true,"content":"\\ud800"'), NOT_JSON),
    (message('"broadcast":true,"content":' + "[" * 100_000), NOT_JSON),
    (message('"broadcast":true,"content":' + "[" * 100_000 + "]" * 100_000), NOT_JSON),
    (b"[" * 100_000, NOT_JSON),
    (b"null", NOT_JSON),
    (b"[]", NOT_JSON),
    (b'"text"', NOT_JSON),
    (b"{}", ("validation_error", "event", "missing or not a string")),
    (b'{"event":5,"data":{}}', ("validation_error", "event", "missing or not a string")),
    (message('"broadcast":true,"content":"?"').replace(b"?", b"\xff"), ("validation_error", "", "not UTF-8")),
    (message('"broadcast":true,"content":"?"').replace(b"?", b"\xed\xa0\x80"), ("validation_error", "", "not UTF-8")),
]


@pytest.mark.parametrize(("raw", "expected"), MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_message_is_malformed(raw: bytes, expected: tuple[str, str, str]) -> None:
    error = refusal(raw)
    assert isinstance(error, Malformed)
    assert error.details is not None
    assert (error.code, error.details["field"], error.details["issue"]) == expected


WRONG = [
    (location("1e999"), "invalid_location", "lat", "Number out of range"),
    (location("9" * 400), "invalid_location", "lat", "Number out of range"),
    (location("90.000001"), "invalid_location", "lat", "Expected `float` <= 90.0"),
    (location(lng="-180.5"), "invalid_location", "lng", "Expected `float` >= -180.0"),
    (location('"25"'), "invalid_location", "lat", "Expected `float`, got `str`"),
    (location("null"), "invalid_location", "lat", "Expected `float`, got `null`"),
    (location("true"), "invalid_location", "lat", "Expected `float`, got `bool`"),
    (location(more=',"speed":200.1'), "invalid_location", "speed", "Expected `float` <= 200.0"),
    (location(more=',"heading":-1'), "invalid_location", "heading", "Expected `float` >= 0.0"),
    (location(more=',"battery":101'), "invalid_location", "battery", "Expected `float` <= 100.0"),
    (location(more=',"ignition":1'), "invalid_location", "ignition", "Expected `bool | null`, got `int`"),
    (location(more=',"ts":1.5'), "invalid_location", "ts", "Expected `int | null`, got `float`"),
    (location(more=',"ts":4102444800001'), "invalid_location", "ts", "Expected `int` <= 4102444800000"),
    (location(more=',"ts":' + "9" * 300), "invalid_location", "ts", "Expected `int` <= 4102444800000"),
    (location(more=',"extra":1'), "validation_error", "extra", "unknown field"),
    (b'{"event":"location_update","data":{"lat":25}}', "invalid_location", "lng", "missing"),
    (b'{"event":"location_update"}', "invalid_location", "data", "missing"),
    (b'{"event":"location_update","data":[]}', "invalid_location", "data", "Expected `object`, got `array`"),
    (b'{"event":"heartbeat","data":{},"extra":1}', "validation_error", "extra", "unknown field"),
    (b'{"event":"heartbeat","data":{},"id":""}', "validation_error", "id", "Expected `str` of length >= 1"),
    (b'{"event":"heartbeat","data":{},"ttlMs":0}', "validation_error", "ttlMs", "Expected `int` >= 1"),
    (b'{"event":"heartbeat","event":"register","data":{}}', "validation_error", "event", "Invalid value 'register'"),
    (message('"content":"hi"'), "validation_error", "data", "name a recipientId, or set broadcast to true"),
    (
        message('"content":"{","contentType":"json","broadcast":true'),
        *("validation_error", "data", "content is not JSON"),
    ),
    (
        message('"content":"NaN","contentType":"json","broadcast":true'),
        *("validation_error", "data", "content is not JSON"),
    ),
    (message('"content":"","broadcast":true'), "validation_error", "content", "Expected `str` of length >= 1"),
    (
        message(f'"content":"{"a" * 513}","broadcast":true'),
        *("validation_error", "content", "Expected `str` of length <= 512"),
    ),
    (
        message('"content":"a\\u0000b","broadcast":true'),
        *("validation_error", "content", "Expected text without control characters"),
    ),
    (
        b'{"event":"register","data":{"vehicleId":"truck-1\\n"}}',
        *("invalid_register", "vehicleId", "Expected 3 to 40 of A-Z a-z 0-9 . _ -"),
    ),
    (
        b'{"event":"register","data":{"vehicleId":"truck-1","driverName":"a\\n"}}',
        *("invalid_register", "driverName", "Expected one line without control characters"),
    ),
    (
        b'{"event":"register","data":{"vehicleId":"truck-1","vehicleInfo":{"plate":"\\u0007"}}}',
        *("invalid_register", "vehicleInfo.plate", "Expected one line without control characters"),
    ),
    (
        b'{"event":"emergency_alert","data":{"lat":25}}',
        *("validation_error", "data", "lat and lng belong together"),
    ),
    (
        b'{"event":"settings_update","data":{"key":"theme","value":{}}}',
        *("validation_error", "value", "Expected `bool | int | float | str | null`, got `object`"),
    ),
]


@pytest.mark.parametrize(("raw", "code", "field", "issue"), WRONG, ids=range(len(WRONG)))
def test_a_refusal_names_code_field_and_issue(raw: bytes, code: str, field: str, issue: str) -> None:
    error = refusal(raw)
    assert not isinstance(error, Malformed)
    assert (error.code, error.details) == (code, {"field": field, "issue": issue})


def test_a_dispatchers_refusals_name_them_too() -> None:
    box = refusal(b'{"event":"view_set","data":{"bbox":[1,2,3,95]}}', decode_dispatch_command)
    assert box.details == {"field": "bbox[3]", "issue": "Expected `float` <= 90.0"}
    lock = refusal(b'{"event":"lock_acquire","data":{"resource":"alert:1\\n"}}', decode_dispatch_command)
    assert lock.details == {"field": "resource", "issue": "Expected a kind and an id, such as alert:1"}


def test_an_unknown_event_is_named_in_short() -> None:
    error = refusal(json.dumps({"event": "x" * 1000, "data": {}, "id": "m1"}).encode())
    assert (error.code, error.details, error.command_id) == ("unknown_event", {"event": "x" * 64}, "m1")


def test_neither_side_may_send_what_is_the_others() -> None:
    assert refusal(b'{"event":"alert_ack","data":{"alertId":"a1"}}').code == "unknown_event"
    assert refusal(b'{"event":"register","data":{}}', decode_dispatch_command).code == "unknown_event"


def test_a_refusal_repeats_the_id_of_its_command() -> None:
    assert refusal(b'{"id":"m1","event":"location_update","data":{}}').command_id == "m1"
    assert refusal(b'{"id":5,"event":"location_update","data":{}}').command_id is None
    assert refusal(json.dumps({"id": "x" * 65, "event": "heartbeat", "data": {}}).encode()).command_id is None


def test_the_last_of_two_equal_keys_counts() -> None:
    command = decode_vehicle_command(b'{"event":"location_update","data":{"lat":26,"lat":25,"lng":55}}')
    assert isinstance(command, LocationUpdate)
    assert command.data.lat == 25


def test_a_field_that_is_too_long_to_name_is_cut() -> None:
    error = refusal(json.dumps({"event": "heartbeat", "data": {"k" * 5000: 1}}).encode())
    assert error.details == {"field": "k" * 64, "issue": "unknown field"}


def test_what_is_not_given_is_none() -> None:
    command = decode_vehicle_command(b'{"data":{},"event":"heartbeat"}')
    assert command == Heartbeat(data=command.data)
    assert (command.id, command.ts, command.ttl_ms, command.data.battery) == (None, None, None, None)


def test_a_batch_is_decoded_position_by_position() -> None:
    body = b'[{"lat": 1, "lng": 2}, {"lat": 91, "lng": 2}, {"lat": 1, "lng": 2, "color": "red"}, 7]'
    good, *bad = decode_locations(body)
    assert good == LocationData(lat=1, lng=2)
    issues = [(refusal.code, refusal.details) for refusal in bad if isinstance(refusal, Refusal)]
    assert issues == [
        ("invalid_location", {"field": "lat", "issue": "Expected `float` <= 90.0"}),
        ("validation_error", {"field": "color", "issue": "unknown field"}),
        ("invalid_location", {"field": "", "issue": "Expected `object`, got `int`"}),
    ]


def test_one_position_is_a_batch_of_one() -> None:
    assert decode_locations(b'{"lat": 1, "lng": 2}') == [LocationData(lat=1, lng=2)]
    (refusal,) = decode_locations(b'{"lat": 1}')
    assert isinstance(refusal, Refusal)


@pytest.mark.parametrize("body", [b"", b"[]", b"[1", b"\xff", b"[" * 100_000, b'[{"lat": NaN}]', b"nope"])
def test_what_is_no_batch_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(Refusal) as refused:
        decode_locations(body)
    assert refused.value.code == "validation_error"


def test_a_batch_has_at_most_a_thousand_positions() -> None:
    assert len(decode_locations(b"[" + b",".join([b'{"lat":1,"lng":2}'] * 1000) + b"]")) == 1000
    with pytest.raises(Refusal, match="not valid"):
        decode_locations(b"[" + b",".join([b'{"lat":1,"lng":2}'] * 1001) + b"]")
