"""The app's configuration."""

from django.apps import AppConfig


class DrivingConfig(AppConfig):
    """How vehicles are driven: events, trips, figures by day."""

    name = "v2v.driving"
    default_auto_field = "django.db.models.BigAutoField"
