"""Addresses of positions, under /api/v1/."""

from django.urls import path

from v2v.tracking.api import LocationsView

urlpatterns = [path("locations", LocationsView.as_view(), name="locations")]
