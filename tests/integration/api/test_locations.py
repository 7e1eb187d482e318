"""History over REST: pages, areas, simplified tracks, downloads."""

import csv
import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import pytest

from tests.integration.api.conftest import ClientOf, World, problem_of
from tests.integration.history.tracks import road, track_make
from tests.integration.people import NOW
from v2v.protocol.epoch import epoch_ms
from v2v.tracking.models import Position

SINCE = epoch_ms(NOW)
SPAN = {"since": SINCE, "until": SINCE + 3_600_000}
HERE = "54.99,24.99,55.01,25.01"
GPX = {"g": "http://www.topografix.com/GPX/1/1"}


def pages(client: Any, **query: Any) -> list[list[dict[str, Any]]]:
    found = [client.get("locations", **query)]
    while "next" in found[-1]:
        found.append(client.get("locations", **dict(parse_qsl(urlsplit(found[-1]["next"]).query))))
    return [page["results"] for page in found]


def text_of(response: Any) -> str:
    assert response.status_code == 200
    return b"".join(response).decode()


def test_a_track_comes_page_by_page_in_order(world: World, client_of: ClientOf) -> None:
    track_make(world.truck_1, road(7), speed=3.5, accuracy=4.0)
    found = pages(client_of("viewer@north"), vehicleId="truck-1", pageSize=3, **SPAN)
    assert [len(page) for page in found] == [3, 3, 1]
    positions = [position for page in found for position in page]
    assert [position["ts"] for position in positions] == [SINCE + 1000 * n for n in range(7)]
    assert positions[0] == {
        "vehicleId": "truck-1",
        "fleet": "north",
        "ts": SINCE,
        "receivedTs": SINCE + 40,
        "lat": 25.0,
        "lng": 55.0,
        "speed": 3.5,
        "accuracy": 4.0,
        "source": "socket",
    }


def test_several_vehicles_come_one_after_the_other(world: World, client_of: ClientOf) -> None:
    for vehicle in (world.truck_2, world.truck_1, world.van_1):
        track_make(vehicle, road(4))
    client = client_of("viewer@north")
    ids = ["truck-2", "truck-1", "van-1", "unknown"]
    found = client.get("locations", vehicleId=ids, **SPAN)["results"]
    assert [position["vehicleId"] for position in found] == ["truck-1"] * 4 + ["truck-2"] * 4


def test_what_was_in_an_area_comes_in_order_of_time(world: World, client_of: ClientOf) -> None:
    track_make(world.truck_1, road(3))
    track_make(world.truck_2, [*road(2), (25.5, 55.0)])
    track_make(world.van_1, road(3))
    found = pages(client_of("viewer@north"), bbox=HERE, pageSize=2, **SPAN)
    positions = [position for page in found for position in page]
    assert [(position["ts"] - SINCE, position["vehicleId"]) for position in positions] == [
        (0, "truck-1"),
        (0, "truck-2"),
        (1000, "truck-1"),
        (1000, "truck-2"),
        (2000, "truck-1"),
    ]


def test_a_polygon_is_exact_and_may_be_asked_of_one_vehicle(world: World, client_of: ClientOf) -> None:
    track_make(world.truck_1, [(25.001, 55.001), (25.0051, 55.0051)])
    track_make(world.truck_2, [(25.001, 55.001)])
    polygon = "55.0,25.0;55.01,25.0;55.0,25.01"
    client = client_of("viewer@north")
    found = client.get("locations", polygon=polygon, **SPAN)["results"]
    assert [(position["vehicleId"], position["lat"]) for position in found] == [
        ("truck-1", 25.001),
        ("truck-2", 25.001),
    ]
    of_one = client.get("locations", polygon=polygon, vehicleId="truck-1", **SPAN)["results"]
    assert [position["lat"] for position in of_one] == [25.001]


def test_a_track_for_a_map_has_fewer_positions_but_every_alarm(world: World, client_of: ClientOf) -> None:
    track_make(world.truck_1, road(100))
    Position.objects.filter(recorded_at=NOW + timedelta(seconds=40)).update(alarm="crash")
    found = client_of("viewer@north").get("locations", vehicleId="truck-1", simplify=14, **SPAN)["results"]
    assert [(position["ts"] - SINCE) // 1000 for position in found] == [0, 40, 99]


def test_a_vehicle_reads_its_own_history_and_no_other(world: World, client_of: ClientOf) -> None:
    track_make(world.truck_1, road(2))
    track_make(world.truck_2, road(2))
    client = client_of("truck-1")
    for query in ({}, {"vehicleId": "truck-1"}, {"bbox": HERE}):
        found = client.get("locations", **query, **SPAN)["results"]
        assert {position["vehicleId"] for position in found} == {"truck-1"}
    problem_of(client("GET", "locations", vehicleId="truck-2", **SPAN), 403, "forbidden")


def test_who_has_no_fleet_reads_nothing(world: World, client_of: ClientOf) -> None:
    problem_of(client_of("stranger")("GET", "locations", vehicleId="truck-1"), 403, "forbidden")


def test_a_system_admin_may_ask_for_one_fleet(world: World, client_of: ClientOf) -> None:
    for vehicle in (world.truck_1, world.van_1):
        track_make(vehicle, road(1))
    root = client_of("root")
    assert len(root.get("locations", bbox=HERE, **SPAN)["results"]) == 2
    (found,) = root.get("locations", bbox=HERE, fleet="south", **SPAN)["results"]
    assert found["vehicleId"] == "van-1"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({}, "vehicleId"),
        ({"vehicleId": "truck-1", "color": "red"}, "color"),
        ({"vehicleId": [f"truck-{n}" for n in range(21)]}, "vehicleId"),
        ({"vehicleId": "truck-1", "since": 0}, "since"),
        ({"bbox": HERE, "since": SINCE - 40 * 86_400_000, "until": SINCE}, "since"),
        ({"bbox": "50,20,60,30", "since": SINCE - 2 * 86_400_000, "until": SINCE}, "since"),
        ({"bbox": "1,2,3"}, "bbox"),
        ({"bbox": "1,2,3,x"}, "bbox"),
        ({"bbox": "nan,2,3,4"}, "bbox"),
        ({"polygon": "1,1;2,2"}, "polygon"),
        ({"polygon": "1,1;2;3,3"}, "polygon"),
        ({"polygon": "55.0,25.0;55.01,25.0;55.0,25.01", "bbox": HERE}, "polygon"),
        ({"vehicleId": "truck-1", "cursor": "nonsense"}, "cursor"),
        ({"vehicleId": "truck-1", "cursor": "MSAyMDI2LTAxLTAx"}, "cursor"),
        ({"vehicleId": "truck-1", "pageSize": 5001}, "pageSize"),
        ({"vehicleId": "truck-1", "simplify": 23}, "simplify"),
        ({"vehicleId": "truck-1", "format": "kml"}, "format"),
    ],
)
def test_what_cannot_be_asked_is_said(world: World, client_of: ClientOf, query: Any, field: str) -> None:
    problem = problem_of(client_of("viewer@north")("GET", "locations", **query), 400, "validation_error")
    assert problem["details"]["field"].partition(".")[0] == field


def test_a_download_as_gpx_is_a_track_with_segments(world: World, client_of: ClientOf) -> None:
    track_make(world.truck_1, road(3), altitude=12.5, speed=8.25, heading=0.0)
    track_make(world.truck_1, road(2), start=NOW + timedelta(minutes=30))
    track_make(world.truck_2, [(1e-7, -1e-7)])
    response = client_of("viewer@north")("GET", "locations", vehicleId=["truck-1", "truck-2"], format="gpx", **SPAN)
    assert response["Content-Type"] == "application/gpx+xml"
    assert response["Content-Disposition"] == 'attachment; filename="positions.gpx"'
    document = ElementTree.fromstring(text_of(response))
    assert (document.tag, document.get("version")) == (f"{{{GPX['g']}}}gpx", "1.1")
    tracks = document.findall("g:trk", GPX)
    assert [track.findtext("g:name", namespaces=GPX) for track in tracks] == ["truck-1", "truck-2"]
    assert [len(segment) for segment in tracks[0].findall("g:trkseg", GPX)] == [3, 2]
    point = tracks[0][1][1]
    assert (point.get("lat"), point.get("lon")) == ("25.0001000", "55.0000000")
    assert point.findtext("g:ele", namespaces=GPX) == "12.50"
    assert point.findtext("g:time", namespaces=GPX) == "2026-11-25T12:00:01.000Z"
    speed = point.find(".//{http://www.garmin.com/xmlschemas/TrackPointExtension/v2}speed")
    assert speed is not None
    assert speed.text == "8.25"
    assert tracks[1][1][0].get("lat") == "0.0000001"


def test_a_download_as_geojson_is_a_collection_of_points(world: World, client_of: ClientOf) -> None:
    track_make(world.truck_1, road(3), battery=50.0, altitude=7.0)
    response = client_of("viewer@north")("GET", "locations", bbox=HERE, format="geojson", **SPAN)
    document = json.loads(text_of(response))
    assert document["type"] == "FeatureCollection"
    assert len(document["features"]) == 3
    assert document["features"][1] == {
        "type": "Feature",
        "geometry": {"type": "Point", "coordinates": [55.0, 25.0001, 7.0]},
        "properties": {
            "vehicleId": "truck-1",
            "fleet": "north",
            "ts": SINCE + 1000,
            "receivedTs": SINCE + 1040,
            "battery": 50.0,
            "source": "socket",
        },
    }


def test_a_download_as_csv_is_safe_in_a_spreadsheet(world: World, client_of: ClientOf) -> None:
    world.truck_1.vehicle_id = "-1.1_cmd"
    world.truck_1.save()
    track_make(world.truck_1, [(-25.5, -55.5)], alarm="crash", ignition=True)
    response = client_of("viewer@north")("GET", "locations", vehicleId="-1.1_cmd", format="csv", **SPAN)
    (row,) = csv.DictReader(io.StringIO(text_of(response)))
    assert row["vehicleId"] == "'-1.1_cmd"
    assert (row["lat"], row["lng"], row["speedMps"], row["alarm"]) == ("-25.5", "-55.5", "", "crash")
    assert row["time"] == "2026-11-25T12:00:00.000Z"


@pytest.mark.parametrize(
    ("kind", "end"), [("gpx", "</gpx>\n"), ("geojson", '"features":[\n]}\n'), ("csv", "source\r\n")]
)
def test_a_download_of_nothing_is_whole(world: World, client_of: ClientOf, kind: str, end: str) -> None:
    response = client_of("viewer@north")("GET", "locations", vehicleId="truck-1", format=kind, **SPAN)
    assert text_of(response).endswith(end)


def test_a_download_of_too_much_is_refused_and_never_cut(
    world: World, client_of: ClientOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("v2v.tracking.api.MAX_EXPORTED", 3)
    track_make(world.truck_1, road(4))
    client = client_of("viewer@north")
    problem_of(client("GET", "locations", vehicleId="truck-1", format="csv", **SPAN), 400, "validation_error")
    Position.objects.filter(recorded_at=NOW).delete()
    assert len(text_of(client("GET", "locations", vehicleId="truck-1", format="csv", **SPAN)).splitlines()) == 4
