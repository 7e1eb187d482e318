"""The pages of driving in a browser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console.conftest import log_in
from tests.browser.console.test_hands_and_eyes import PHONE, violations
from tests.servers.v2v import V2VServer

SEED = """
from datetime import timedelta
from django.utils import timezone
from tests.integration.driving.conftest import drive
from v2v.driving.daily import daily_refresh
from v2v.driving.models import DrivingEvent, DrivingWork
from v2v.driving.trip_services import trips_advance
from v2v.vehicles.models import Vehicle
vehicle = Vehicle.objects.get(vehicle_id={vehicle_id!r})
begin = timezone.now() - timedelta(days=1)
drive(vehicle, (600, 15), (320, 0), begin=begin)
DrivingEvent.objects.create(fleet=vehicle.fleet, vehicle=vehicle, type="harsh_braking", occurred_at=begin,
    day=begin.date(), value=5.2, limit=4.4, lat=25.0, lng=55.0)
trips_advance(until=timezone.now())
DrivingWork.objects.filter(pk="daily").update(due_at=begin)
daily_refresh(timezone.now())
"""


@pytest.fixture(scope="module")
def driven(console_server: V2VServer) -> str:
    """A vehicle that drove yesterday, and braked hard."""
    vehicle_id, _ = console_server.vehicle()
    console_server.shell(SEED.format(vehicle_id=vehicle_id))
    return vehicle_id


@pytest.fixture
def as_admin(page: Page, console_server: V2VServer, other_session: str) -> Page:
    """A page of an admin of the fleet."""
    log_in(page, console_server, other_session)
    return page


def test_the_charts_are_drawn_and_follow_the_filter_and_the_theme(
    as_admin: Page, console_server: V2VServer, driven: str
) -> None:
    as_admin.goto(f"{console_server.url}/analytics/?vehicle={driven}")
    charts = as_admin.locator(".chart canvas")
    expect(charts).to_have_count(3)
    expect(as_admin.locator(".table tbody tr")).to_have_count(8)
    as_admin.get_by_text("30 days", exact=True).click()
    expect(as_admin.locator(".table tbody tr")).to_have_count(31)
    expect(charts).to_have_count(3)
    expect(as_admin).to_have_url(re.compile(r"days=30"))
    as_admin.keyboard.press("t")
    expect(charts).to_have_count(3)
    as_admin.get_by_label("Vehicle", exact=True).fill("nobody-at-all")
    expect(as_admin.get_by_text("Nothing was driven")).to_be_visible()
    expect(charts).to_have_count(0)


def test_distances_are_in_the_unit_that_the_viewer_chose(
    as_admin: Page, console_server: V2VServer, driven: str
) -> None:
    as_admin.goto(f"{console_server.url}/trips/?vehicle={driven}")
    expect(as_admin.locator("[data-meters]")).to_have_text("9.0 km")
    as_admin.evaluate("localStorage.setItem('v2v.unit', 'mi')")
    as_admin.reload()
    expect(as_admin.locator("[data-meters]")).to_have_text("5.6 mi")


def test_a_vehicle_leads_to_its_driving_and_back(as_admin: Page, console_server: V2VServer, driven: str) -> None:
    as_admin.goto(f"{console_server.url}/?vehicle={driven}")
    as_admin.get_by_role("link", name="Driving events").click()
    expect(as_admin.locator("tr[data-event-id]")).to_contain_text("Harsh braking")
    as_admin.get_by_role("link", name="Trips", exact=True).click()
    expect(as_admin.locator("tr[data-trip-id]")).to_contain_text(driven)
    as_admin.locator("tr[data-trip-id]").get_by_role("link", name=driven).click()
    expect(as_admin.get_by_role("heading", name=driven)).to_be_visible()


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_axe_finds_nothing_on_the_pages_and_they_fit_a_phone(
    as_admin: Page, console_server: V2VServer, driven: str, theme: str
) -> None:
    for path in ("/analytics/", "/trips/", "/driving-events/", "/driving-rules/"):
        as_admin.goto(console_server.url + path)
        as_admin.emulate_media(reduced_motion="reduce")
        as_admin.evaluate("theme => (document.documentElement.dataset.theme = theme)", theme)
        assert violations(as_admin) == []
        as_admin.set_viewport_size(PHONE)
        as_admin.wait_for_function(f"document.documentElement.scrollWidth === {PHONE['width']}")  # charts take a moment
        as_admin.set_viewport_size({"width": 1280, "height": 800})
