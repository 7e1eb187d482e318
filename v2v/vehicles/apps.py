"""Vehicles, their devices, and the tokens with which devices prove who they are."""

from django.apps import AppConfig


class VehiclesConfig(AppConfig):
    """Vehicles, devices, tokens."""

    name = "v2v.vehicles"
    label = "vehicles"
