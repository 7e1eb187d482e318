"""Addresses of positions, under /api/v1/."""

from django.urls import path

from v2v.tracking.api import LocationsView
from v2v.tracking.gtfs_api import VehiclePositionsView

urlpatterns = [
    path("locations", LocationsView.as_view(), name="locations"),
    path("gtfs-realtime/vehicle-positions", VehiclePositionsView.as_view(), name="gtfs-vehicle-positions"),
]
