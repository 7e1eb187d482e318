"""Addresses of geofences and their events, under /api/v1/."""

from django.urls import path
from rest_framework.routers import SimpleRouter

from v2v.geofences.api import GeofenceEventView, GeofenceViewSet

router = SimpleRouter(trailing_slash=False)
router.register("geofences", GeofenceViewSet, basename="geofence")
urlpatterns = [path("geofence-events", GeofenceEventView.as_view(), name="geofence-events"), *router.urls]
