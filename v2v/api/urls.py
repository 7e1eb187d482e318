"""The REST API: the apps' addresses, its schema, and what answers where there is nothing."""

from django.urls import include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from v2v.api.problems import api_not_found

urlpatterns = [
    path("v1/", include("v2v.vehicles.urls")),
    path("v1/", include("v2v.tracking.urls")),
    path("v1/", include("v2v.proximity.urls")),
    path("v1/", include("v2v.driving.urls")),
    path("v1/", include("v2v.alerts.urls")),
    path("v1/", include("v2v.messaging.urls")),
    path("v1/", include("v2v.calls.urls")),
    path("v1/", include("radio.urls")),
    path("v1/", include("v2v.geofences.urls")),
    path("v1/schema", SpectacularAPIView.as_view(), name="schema"),
    path("v1/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    re_path("", api_not_found),
]
