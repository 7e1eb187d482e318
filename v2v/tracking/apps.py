"""A position's way from any source to the live state."""

from django.apps import AppConfig


class TrackingConfig(AppConfig):
    """Live positions and last known states."""

    name = "v2v.tracking"
    label = "tracking"
