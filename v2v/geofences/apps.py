"""The app of geofences."""

from django.apps import AppConfig


class GeofencesConfig(AppConfig):
    """Geofences."""

    name = "v2v.geofences"
    default_auto_field = "django.db.models.BigAutoField"
