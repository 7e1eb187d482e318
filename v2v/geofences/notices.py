"""How services tell the realtime engines, which they do not know, that geofences have changed.

The console's app hangs a listener here that tells every server process. Whatever gets lost on the way is made up for by
`GeofenceWatch`, which looks at the database twice a minute.
"""

from collections.abc import Callable

Listener = Callable[[], None]  # called in the thread of the service; must return at once and not raise

_listeners: list[Listener] = []


def listen(listener: Listener) -> None:
    """Have `listener` called after each change."""
    _listeners.append(listener)


def unlisten(listener: Listener) -> None:
    """Take it off again."""
    _listeners.remove(listener)


def tell() -> None:
    """Geofences have changed, and the change is committed."""
    for listener in _listeners:
        listener()
