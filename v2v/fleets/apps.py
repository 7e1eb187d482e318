"""Fleets: who belongs together, and who may see what."""

from django.apps import AppConfig


class FleetsConfig(AppConfig):
    """Fleets, memberships, roles."""

    name = "v2v.fleets"
    label = "fleets"
