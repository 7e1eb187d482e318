"""Calls."""

from django.apps import AppConfig


class CallsConfig(AppConfig):
    """Calls, and what happened to each."""

    name = "v2v.calls"
    label = "calls"
