"""The client of a dispatcher."""

import uuid
from collections.abc import Callable, Mapping
from urllib.parse import quote

from v2v.client.backoff import Backoff
from v2v.client.client import Client, State
from v2v.protocol.events import Event


class DispatchClient(Client):
    """A dispatcher's connection to `/ws/dispatch/`; `headers` say who it is: `Cookie`, and an allowed `Origin`.

    `device_id` tells it from other connections of the same user: by it, it comes back to its call.
    """

    _is_dispatch = True

    def __init__(
        self,
        url: str,
        *,
        device_id: str | None = None,
        headers: Mapping[str, str] | None = None,
        on_state: Callable[[State], None] | None = None,
        on_event: Callable[[Event], None] | None = None,
        on_positions: Callable[[bytes], None] | None = None,
        backoff: Backoff | None = None,
    ) -> None:
        super().__init__(
            f"{url}?deviceId={quote(device_id or uuid.uuid4().hex, safe='')}",
            headers=headers,
            on_state=on_state,
            on_event=on_event,
            on_positions=on_positions,
            backoff=backoff,
        )
