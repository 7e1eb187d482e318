"""Emergency alerts."""

from django.apps import AppConfig


class AlertsConfig(AppConfig):
    """Alerts, whom they reached, and what was done about them."""

    name = "v2v.alerts"
    label = "alerts"
