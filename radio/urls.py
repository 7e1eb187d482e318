"""Addresses of the radio, under /api/v1/."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from radio.api import RadioFrameView, RadioNodeViewSet

router = SimpleRouter(trailing_slash=False)
router.register("radio/nodes", RadioNodeViewSet)

urlpatterns = [path("radio/frames", RadioFrameView.as_view(), name="radio-frames"), path("", include(router.urls))]
