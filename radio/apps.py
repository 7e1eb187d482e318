"""Vehicles by radio: the bridge between a modem on a serial line and the rest of the system."""

from django.apps import AppConfig


class RadioConfig(AppConfig):
    """Nodes, frames, the queue of what goes out."""

    name = "radio"
