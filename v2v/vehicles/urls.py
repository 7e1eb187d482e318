"""Addresses of vehicles, devices and what is live, under /api/v1/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from v2v.vehicles.api import DeviceViewSet, VehicleViewSet
from v2v.vehicles.live_api import NearbyView, PresenceView, StatsView

router = SimpleRouter(trailing_slash=False)
router.register("vehicles", VehicleViewSet)
router.register("devices", DeviceViewSet)

urlpatterns = [
    path("presence", PresenceView.as_view(), name="presence"),
    path("nearby", NearbyView.as_view(), name="nearby"),
    path("websocket/stats", StatsView.as_view(), name="websocket-stats"),
    path("", include(router.urls)),
]
