"""Addresses of alerts, under /api/v1/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from v2v.alerts.api import AlertViewSet

router = SimpleRouter(trailing_slash=False)
router.register("emergencies", AlertViewSet)

urlpatterns = [path("", include(router.urls))]
