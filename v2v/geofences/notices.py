"""How services tell the realtime engine of this process, which they do not know, that geofences have changed.

`config.realtime` hangs a listener here at start. The event `geofence_updated` or `geofence_removed` goes to every
process that has dispatchers of the fleet; one that hears it there calls `tell` as well. Whatever gets lost on the way
is made up for by `GeofenceWatch`, which looks at the database twice a minute.
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
