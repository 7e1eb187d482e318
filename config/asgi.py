"""The ASGI application: sockets to the realtime engine, the rest to Django."""

import os
from collections.abc import Awaitable, Callable
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.base")

# ruff: noqa: E402 - Django is set up between the imports
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application
from django.urls import path

django_application = get_asgi_application()  # before anything that imports models

from config.realtime import realtime
from v2v.tracking.reception import Reception

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


async def lifespan(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Start the engine with the server, and stop it when the last connection is gone."""
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            realtime.engine.start()
            await send({"type": "lifespan.startup.complete"})
        else:
            await realtime.engine.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return


async def no_such_socket(scope: dict[str, Any], receive: Receive, send: Send) -> None:
    """Refuse a socket at any other path (403)."""
    await receive()
    await send({"type": "websocket.close"})


application = ProtocolTypeRouter(
    {
        "http": Reception(realtime.engine, realtime.place, django_application),
        "lifespan": lifespan,
        "websocket": URLRouter(
            [
                path("ws/vehicle/", realtime.vehicle_socket),
                path("ws/dispatch/", realtime.dispatch_socket),
                path("<path:anything>", no_such_socket),  # type: ignore[arg-type]
                path("", no_such_socket),  # type: ignore[arg-type]
            ]
        ),
    }
)
