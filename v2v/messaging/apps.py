"""Messages between vehicles and their dispatchers."""

from django.apps import AppConfig


class MessagingConfig(AppConfig):
    """Texts that are stored, forwarded and followed to their reader."""

    name = "v2v.messaging"
    label = "messaging"
