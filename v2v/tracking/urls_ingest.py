"""Addresses for apps and trackers of others, under /ingest/; with and without a slash, as they are typed on phones."""

from django.urls import re_path

from v2v.api.problems import api_not_found
from v2v.tracking.foreign_api import OsmAndView, OwnTracksView

urlpatterns = [
    re_path(r"^osmand/?$", OsmAndView.as_view(), name="ingest-osmand"),
    re_path(r"^owntracks/?$", OwnTracksView.as_view(), name="ingest-owntracks"),
    re_path("", api_not_found),
]
