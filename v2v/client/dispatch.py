"""The client of a dispatcher."""

from v2v.client.client import Client


class DispatchClient(Client):
    """A dispatcher's connection to `/ws/dispatch/`; `headers` say who it is: `Cookie`, and an allowed `Origin`."""

    _is_dispatch = True
