"""Every address that HTTP serves."""

from django.contrib import admin
from django.urls import include, path
from django_prometheus.exports import ExportToDjangoView

from config import health

urlpatterns = [
    path("", include("v2v.console.urls")),
    path("", include("v2v.alerts.urls_pages")),
    path("", include("v2v.driving.urls_pages")),
    path("conversations/", include("v2v.messaging.urls_pages")),
    path("calls/", include("v2v.calls.urls_pages")),
    path("radio/", include("radio.urls_pages")),
    path("vehicles/", include("v2v.vehicles.urls_pages")),
    path("replay/", include("v2v.replay.urls_pages")),
    path("queue/", include("v2v.tracking.urls_pages")),
    path("geofences/", include("v2v.geofences.urls_pages")),
    path("admin/", admin.site.urls),
    path("api/", include("v2v.api.urls")),
    path("ingest/", include("v2v.tracking.urls_ingest")),
    path("health", health.health, name="health"),
    path("health/live", health.live, name="health-live"),
    path("health/ready", health.ready, name="health-ready"),
    path("metrics", ExportToDjangoView, name="metrics"),
]

handler400 = "v2v.api.problems.bad_request"
handler403 = "v2v.api.problems.permission_denied"
handler404 = "v2v.api.problems.not_found"
handler500 = "v2v.api.problems.server_error"
