"""The pages of the dispatcher."""

from django.apps import AppConfig


class ConsoleConfig(AppConfig):
    """The dispatch console."""

    name = "v2v.console"
    label = "console"
