"""Addresses of comings and goings, under /api/v1/."""

from django.urls import path

from v2v.proximity.api import ProximityEventView

urlpatterns = [path("proximity-events", ProximityEventView.as_view(), name="proximity-events")]
