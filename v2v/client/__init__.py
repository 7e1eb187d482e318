"""A client for vehicles and dispatchers, in asyncio. Needs websockets and msgspec, and nothing of the server."""

from v2v.client.client import State
from v2v.client.dispatch import DispatchClient
from v2v.client.errors import ClientError, CommandRefused, NotConnected, Stopped, TooManyPending
from v2v.client.vehicle import VehicleClient

__all__ = [
    "ClientError",
    "CommandRefused",
    "DispatchClient",
    "NotConnected",
    "State",
    "Stopped",
    "TooManyPending",
    "VehicleClient",
]
