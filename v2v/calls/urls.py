"""Addresses of calls, under /api/v1/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from v2v.calls.api import CallViewSet, IceServersView

router = SimpleRouter(trailing_slash=False)
router.register("calls", CallViewSet)

urlpatterns = [
    path("ice-servers", IceServersView.as_view(), name="ice-servers"),
    path("", include(router.urls)),
]
