"""What real apps send, as positions in our units."""

import json
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from v2v.protocol.commands import LocationData
from v2v.protocol.decode import Refusal
from v2v.tracking.foreign.osmand import osmand_parse, osmand_parse_json
from v2v.tracking.foreign.owntracks import owntracks_parse

# Traccar Client 9, which is made with the background geolocation of Transistor Software.
TRACCAR_9 = """
{"location":{"timestamp":"2021-07-21T08:06:34.444Z","coords":{"latitude":-6.1148096,"longitude":106.6837015,
"accuracy":3.8,"speed":18.67,"heading":63,"altitude":35.7},"is_moving":true,"odometer":1042.5,"event":"motionchange",
"battery":{"level":0.79,"is_charging":false},"activity":{"type":"in_vehicle"},"extras":{},
"_":"&id=truck-1&lat=-6.1148096&lon=106.6837015&timestamp=2021-07-21T08:06:34.444Z&"},"device_id":"truck-1"}
"""
# OwnTracks for Android 2.5.
OWNTRACKS = """
{"_type":"location","BSSID":"c0:c9:e3:00:00:00","SSID":"depot","_id":"93c1d5a0","acc":14,"alt":154,"batt":93,"bs":1,
"cog":17,"conn":"w","created_at":1692280505,"lat":50.0001,"lon":8.0002,"m":1,"t":"u","tid":"t1",
"topic":"owntracks/http/t1","tst":1692280503,"vac":1,"vel":54}
"""


def flat(query: str) -> LocationData | Refusal | None:
    return osmand_parse(dict(parse_qsl(query))).location


def test_traccar_client_9_reports_in_meters_per_second_and_a_level_from_0_to_1() -> None:
    (report,) = osmand_parse_json(json.loads(TRACCAR_9))
    assert report.device_name == "truck-1"
    assert report.location == LocationData(
        lat=-6.1148096,
        lng=106.6837015,
        ts=1_626_854_794_444,
        speed=18.67,
        heading=63.0,
        accuracy=3.8,
        altitude=35.7,
        battery=79.0,
    )


def test_traccar_client_8_reports_as_a_query_in_knots() -> None:
    report = osmand_parse(
        dict(
            parse_qsl(
                "id=truck-1&timestamp=1377177267&lat=60.5&lon=30.25&speed=19.438&bearing=90.0&altitude=12.0"
                "&accuracy=4.5&batt=87.0&charge=true"
            )
        )
    )
    assert report.device_name == "truck-1"
    location = report.location
    assert isinstance(location, LocationData)
    assert location.speed == pytest.approx(10, abs=0.001)
    expected = (60.5, 30.25, 1_377_177_267_000, 90, 12, 4.5, 87)
    got = (location.lat, location.lng, location.ts, location.heading, location.altitude, location.accuracy)
    assert (*got, location.battery) == expected


def test_traccar_client_10_sends_what_it_has_kept_as_a_list() -> None:
    kept = [
        {"id": "truck-1", "lat": 60.0 + n, "lon": 30.0, "timestamp": 1377177267 + n, "speed": 5.4, "batt": 87}
        for n in range(3)
    ]
    reports = osmand_parse_json(kept)
    assert [report.location.lat for report in reports if isinstance(report.location, LocationData)] == [60, 61, 62]
    assert {report.device_name for report in reports} == {"truck-1"}


@pytest.mark.parametrize(
    ("written", "epoch_ms"),
    [
        ("2016-01-27T18%3A55%3A47Z", 1_453_920_947_000),
        ("2016-01-27T19%3A55%3A47%2B01%3A00", 1_453_920_947_000),
        ("2014-06-04+09%3A10%3A11", 1_401_873_011_000),
        ("1442068686579", 1_442_068_686_579),
        ("1442068686", 1_442_068_686_000),
        ("", None),
    ],
)
def test_a_time_may_be_written_in_several_ways(written: str, epoch_ms: int | None) -> None:
    location = flat(f"id=1&lat=1&lon=2&timestamp={written}")
    assert isinstance(location, LocationData)
    assert location.ts == epoch_ms


def test_what_a_phone_does_not_know_is_left_out() -> None:
    unknown = {"latitude": 1, "longitude": 2, "speed": -1, "heading": -1, "accuracy": -1, "altitude": 99_999}
    body = {"location": {"coords": unknown, "battery": {"level": -1}}, "device_id": "a"}
    (report,) = osmand_parse_json(body)
    assert report.location == LocationData(lat=1, lng=2)
    assert owntracks_parse({"_type": "location", "lat": 1, "lon": 2, "vel": -1, "cog": -1, "batt": -1}) == LocationData(
        lat=1, lng=2
    )


def test_a_call_for_help_and_the_ignition_come_through() -> None:
    location = flat("id=1&lat=1&lon=2&alarm=sos&ignition=true")
    assert isinstance(location, LocationData)
    assert (location.alarm, location.ignition) == ("other", True)
    body = {"location": {"coords": {"latitude": 1, "longitude": 2}, "extras": {"alarm": "sos"}}, "device_id": "1"}
    nested = osmand_parse_json(body)[0].location
    assert isinstance(nested, LocationData)
    assert nested.alarm == "other"


@pytest.mark.parametrize("query", ["id=1&timestamp=1377177267&cell=257,02,16,2224", "id=1&lat=1&lon=2&valid=false"])
def test_a_report_without_a_valid_position_is_no_error(query: str) -> None:
    assert flat(query) is None


def test_a_position_may_be_one_parameter() -> None:
    location = flat("id=123456&timestamp=1377177267&location=60.0,30.0")
    assert isinstance(location, LocationData)
    assert (location.lat, location.lng) == (60, 30)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("lat=91&lon=2", "lat"),
        ("lat=1&lon=181", "lng"),
        ("lat=1", "lng"),
        ("lat=nan&lon=2", "lat"),
        ("lat=1&lon=north", "lng"),
        ("lat=1&lon=2&timestamp=yesterday", "ts"),
        ("lat=1&lon=2&timestamp=0001-01-01T00:00:00%2B01:00", "ts"),
        ("lat=1&lon=2&timestamp=-5", "ts"),
        ("location=1&lat=1", "lng"),
    ],
)
def test_where_and_when_are_strict(query: str, field: str) -> None:
    refusal = flat(query)
    assert isinstance(refusal, Refusal)
    assert refusal.code == "invalid_location"
    assert refusal.details is not None
    assert refusal.details["field"] == field


def test_owntracks_reports_in_kilometers_an_hour() -> None:
    assert owntracks_parse(json.loads(OWNTRACKS)) == LocationData(
        lat=50.0001, lng=8.0002, ts=1_692_280_503_000, speed=15.0, heading=17, accuracy=14, altitude=154, battery=93
    )


@pytest.mark.parametrize("kind", ["transition", "waypoint", "waypoints", "status", "lwt", "cmd", "card"])
def test_other_messages_of_owntracks_are_passed_over(kind: str) -> None:
    assert owntracks_parse({"_type": kind, "lat": 1, "lon": 2, "tst": 1_692_280_503}) is None


@pytest.mark.parametrize("message", [{}, [], "location", None, {"_type": 3}, {"_type": "encrypted", "data": "xyz"}])
def test_what_is_no_message_of_owntracks_is_refused(message: Any) -> None:
    with pytest.raises(Refusal) as refused:
        owntracks_parse(message)
    assert refused.value.code == "validation_error"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
reports = st.dictionaries(
    st.sampled_from(["id", "lat", "lon", "timestamp", "speed", "location", "device_id", "coords", "_type", "tst"]),
    json_values | st.just("location"),
)


@given(reports | json_values)
def test_nothing_that_is_json_makes_a_parser_fail_otherwise_than_by_refusing(body: Any) -> None:
    for parse in (osmand_parse_json, owntracks_parse):
        with suppress(Refusal):
            parse(body)
