"""The console's pages and parts of pages, as HTTP gives them."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import get_resolver

from tests.integration.people import NOW, fleet_make, user_make, vehicle_make
from v2v.fleets.models import Fleet
from v2v.protocol.codes import ERRORS
from v2v.vehicles.models import VehicleStatus

pytestmark = pytest.mark.django_db
PART = {"HX-Request": "true"}


@pytest.fixture
def fleet() -> Fleet:
    return fleet_make("north")


@pytest.fixture
def viewer(client: Client, fleet: Fleet) -> Client:
    client.force_login(user_make("ann", fleet=fleet))
    return client


def _rows(html: str) -> list[str]:
    return re.findall(r'data-vehicle-id="([^"]+)"', html)


def _list(viewer: Client, **query: str) -> list[str]:
    answer = viewer.get("/vehicles/", query, headers=PART)
    assert answer.status_code == 200
    return _rows(answer.content.decode())


def test_the_page_has_no_inline_script_or_style_and_forbids_them(viewer: Client) -> None:
    answer = viewer.get("/")
    html = answer.content.decode()
    assert re.findall(r"<script(?![^>]*(?:src=|application/json))", html) == []
    assert " style=" not in html
    assert " onclick=" not in html
    assert "'unsafe" not in answer["Content-Security-Policy"]


def named_paths(patterns: Iterable[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for pattern in patterns:
        path = f"{prefix}{pattern.pattern}"
        if hasattr(pattern, "url_patterns"):
            if not pattern.namespace:
                yield from named_paths(pattern.url_patterns, path)
        elif pattern.name:
            yield pattern.name, path


def test_no_page_has_the_name_of_an_address_of_the_api() -> None:
    named = list(named_paths(get_resolver().url_patterns))
    api = {name for name, path in named if path.startswith("api/")}
    pages = {name for name, path in named if not path.startswith("api/")}
    assert len(api) > 10
    assert api & pages == set()


def test_the_page_is_never_kept_by_a_cache(viewer: Client) -> None:
    for address in ("/", "/vehicles/"):
        assert "no-store" in viewer.get(address)["Cache-Control"]


def test_the_page_carries_the_words_of_every_error_code(viewer: Client) -> None:
    html = viewer.get("/").content.decode()
    [texts] = re.findall(r'<script id="error-texts" type="application/json">(.*?)</script>', html)
    assert set(json.loads(texts)) == {str(code) for code in ERRORS}


def test_the_list_holds_only_the_fleets_of_its_viewer(viewer: Client, fleet: Fleet) -> None:
    vehicle_make(fleet, "ours-1")
    vehicle_make(fleet_make("south"), "theirs-1")
    assert _list(viewer) == ["ours-1"]


def test_a_vehicle_of_others_is_not_found(viewer: Client) -> None:
    vehicle_make(fleet_make("south"), "theirs-1")
    for address in ("/drawer/?vehicle=theirs-1", "/drawer/?vehicle=%00%00%00", "/drawer/"):
        assert viewer.get(address, headers=PART).status_code == 404
    assert "theirs-1" not in viewer.get("/?vehicle=theirs-1").content.decode()


@pytest.mark.parametrize("search", ["TRUCK-7", "amina", "dxb 12"])
def test_the_search_finds_callsign_driver_and_plate(viewer: Client, fleet: Fleet, search: str) -> None:
    vehicle_make(fleet, "truck-7", driver_name="Amina Noor", plate="DXB 123")
    vehicle_make(fleet, "van-8", driver_name="Omar", plate="AUH 9")
    assert _list(viewer, q=search) == ["truck-7"]


def test_a_vehicle_that_was_never_heard_counts_as_offline(viewer: Client, fleet: Fleet) -> None:
    vehicle_make(fleet, "heard")
    vehicle_make(fleet, "never")
    VehicleStatus.objects.filter(vehicle__vehicle_id="never").delete()
    VehicleStatus.objects.update_or_create(
        vehicle=fleet.vehicles.get(vehicle_id="heard"), defaults={"status": "online", "last_seen": NOW}
    )
    assert _list(viewer, state="online") == ["heard"]
    assert _list(viewer, state="offline") == ["never"]
    counts = re.findall(r'data-count="(\w+)">(\d+)<', viewer.get("/").content.decode())
    assert dict(counts) == {"all": "2", "online": "1", "timeout": "0", "offline": "1"}


def test_a_long_list_comes_in_parts_that_miss_nothing(viewer: Client, fleet: Fleet) -> None:
    for number in range(130):
        vehicle_make(fleet, f"truck-{number:03}")
    html = viewer.get("/vehicles/", headers=PART).content.decode()
    [after] = re.findall(r"after=([\w-]+)", html)
    assert _rows(html) + _list(viewer, after=after) == [f"truck-{number:03}" for number in range(130)]


def test_a_list_that_was_scrolled_is_fetched_again_as_long_as_it_was(viewer: Client, fleet: Fleet) -> None:
    for number in range(130):
        vehicle_make(fleet, f"truck-{number:03}")
    assert len(_list(viewer, count="120")) == 120
    assert len(_list(viewer, count="5")) == 100


@pytest.mark.parametrize(
    "query", ["q=%00", "count=-1", "count=99999999", "state=flying", "q=" + "x" * 500, "after=%00", "vehicle=%00"]
)
def test_a_filter_that_is_not_valid_counts_as_none(viewer: Client, fleet: Fleet, query: str) -> None:
    vehicle_make(fleet, "truck-1")
    assert _rows(viewer.get(f"/?{query}").content.decode()) == ["truck-1"]


def test_a_hostile_name_is_escaped(viewer: Client, fleet: Fleet) -> None:
    hostile = "<script>alert(1)</script>"
    vehicle_make(fleet, "truck-1", driver_name=hostile, plate=hostile, make=hostile)
    for address in ("/?vehicle=truck-1", f"/?q={quote(hostile)}", "/drawer/?vehicle=truck-1"):
        assert hostile not in viewer.get(address).content.decode()


def test_a_part_without_a_session_sends_the_whole_page_to_the_login(client: Client) -> None:
    answer = client.get("/vehicles/", headers=PART)
    assert answer["HX-Redirect"].startswith("/login/")


def test_the_page_without_a_session_goes_to_the_login_and_back(client: Client) -> None:
    assert client.get("/?vehicle=truck-1")["Location"] == "/login/?next=/%3Fvehicle%3Dtruck-1"


def test_the_pages_take_no_writes(viewer: Client) -> None:
    for address in ("/", "/vehicles/", "/drawer/?vehicle=truck-1"):
        assert viewer.post(address).status_code == 405


def test_a_drawer_of_a_vehicle_costs_few_queries(
    viewer: Client, fleet: Fleet, django_assert_max_num_queries: type
) -> None:
    for number in range(20):
        vehicle_make(fleet, f"truck-{number:03}")
    with django_assert_max_num_queries(13):
        viewer.get("/?vehicle=truck-001")
