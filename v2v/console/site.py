"""The server of the whole site."""

import uvicorn
from django.conf import settings

from v2v.realtime.server import server_config


def site_config(*, host: str, port: int) -> uvicorn.Config:
    """uvicorn for pages, API and sockets, with what the settings say of the proxy in front of it."""
    trusted = settings.FORWARDED_ALLOW_IPS
    return server_config("config.asgi:application", host=host, port=port, forwarded_allow_ips=trusted)
