"""Who is near whom."""

from django.apps import AppConfig


class ProximityConfig(AppConfig):
    """Neighbors, and their coming and going."""

    name = "v2v.proximity"
    label = "proximity"
