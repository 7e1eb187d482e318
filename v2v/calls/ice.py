"""STUN and TURN servers for a client, with credentials that are good for a while.

The scheme is coturn's `use-auth-secret`: the user name is `expiry:id` (epoch seconds), the password the base64 of its
HMAC-SHA1 under the secret that we share with the server (draft-uberti-behave-turn-rest-00).
"""

import base64
import hashlib
import hmac
from datetime import datetime, timedelta

from django.conf import settings

from v2v.protocol.events import IceServer

_SPARE = timedelta(minutes=5)


def ice_expiry(now: datetime) -> datetime:
    """When credentials that are given out now end: not before the longest call."""
    return now + timedelta(milliseconds=settings.CALL_MAX_DURATION_MS) + _SPARE


def ice_servers(*, identity: str, now: datetime) -> list[IceServer]:
    """The servers of the settings, for `identity` (a vehicle, or a dispatcher); none when there are none."""
    urls: list[str] = settings.TURN_URL
    if not urls:
        return []
    username = f"{int(ice_expiry(now).timestamp())}:{identity}"
    digest = hmac.new(settings.TURN_SECRET.encode(), username.encode(), hashlib.sha1).digest()
    turn = IceServer(urls=urls, username=username, credential=base64.b64encode(digest).decode())
    # A TURN server answers STUN, too; over TLS or TCP only a TURN client reaches it.
    stun = [f"stun:{url.removeprefix('turn:')}" for url in urls if url.startswith("turn:") and "?" not in url]
    return [*([IceServer(urls=stun)] if stun else []), turn]
