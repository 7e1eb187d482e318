"""Who is connected to this process, and fan-out to them: an event is encoded once, however many receive it."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence

from v2v.protocol import events
from v2v.protocol.codes import CloseCode, ErrorCode
from v2v.protocol.decode import Refusal
from v2v.realtime.session import Session

# Meters from a place (degrees) of the vehicles with these slots; None for one whose position is not known.
Distances = Callable[[Sequence[int], float, float], list[float | None]]
Told = Callable[[str, Sequence[str]], None]  # a topic, and the vehicles that were told of it


class Hub:
    """The connections of one process. Used from the event loop only.

    `distances` and `told` are the application's: where vehicles are, and who asks to know whom an event reached.
    """

    def __init__(self) -> None:
        self.distances: Distances = lambda slots, lat, lng: [None] * len(slots)
        self.told: Told = lambda topic, vehicle_ids: None
        self.sessions: set[Session] = set()
        self.dispatchers: set[Session] = set()
        self.by_vehicle: dict[str, list[Session]] = {}
        self.by_slot: dict[int, list[Session]] = {}  # the same lists
        self._of_fleet: defaultdict[int, set[Session]] = defaultdict(set)  # vehicles
        self._unregistered: Counter[str] = Counter()

    # ---- Coming and going

    def open(self, session: Session) -> None:
        """A socket was accepted; nobody knows yet whose it is."""
        self.sessions.add(session)
        self._unregistered[session.network] += 1

    def unregistered_from(self, network: str) -> int:
        """How many sockets of a network (see `v2v.realtime.address`) have not said who they are."""
        return self._unregistered[network]

    def register_vehicle(self, session: Session, *, vehicle_id: str, device_id: str, fleet: int, slot: int) -> None:
        """The session is a device of this vehicle from now on; an older connection of the device is closed (4409).

        Raises Refusal when the socket went away meanwhile.
        """
        self._identify(session, vehicle_id, frozenset((fleet,)))
        session.device_id = device_id
        session.slot = slot
        siblings = self.by_vehicle.setdefault(vehicle_id, [])
        for older in [other for other in siblings if other.device_id == device_id]:
            siblings.remove(older)
            self._of_fleet[fleet].discard(older)
            older.close(CloseCode.REPLACED)
        siblings.append(session)
        self.by_slot[slot] = siblings
        self._of_fleet[fleet].add(session)

    def register_dispatcher(
        self,
        session: Session,
        *,
        name: str,
        fleets: frozenset[int] | None,
        works: frozenset[int] | None = frozenset(),
        device_id: str = "",
    ) -> None:
        """The session is a dispatcher who may see `fleets` and work in `works` (None: all) from now on.

        Raises as above.
        """
        self._identify(session, name, fleets)
        session.works = works
        session.device_id = device_id
        self.dispatchers.add(session)

    def _identify(self, session: Session, name: str, fleets: frozenset[int] | None) -> None:
        if session.outbox.closed:  # while the database was asked: it would stay here for ever
            raise Refusal(ErrorCode.NOT_REGISTERED, "The connection is closed.")
        if session.registered:  # again, with a fresh token: the device may be another one, or the fleet
            self._leave_vehicle(session)
        else:
            self._forget_address(session)
        session.name = name
        session.fleets = fleets
        session.registered = True

    def close(self, session: Session) -> None:
        """The socket is gone."""
        if session not in self.sessions:
            return
        self.sessions.discard(session)
        self.dispatchers.discard(session)
        session.outbox.closed = True
        if not session.registered:
            self._forget_address(session)
        elif session.slot >= 0:
            self._leave_vehicle(session)

    def _leave_vehicle(self, session: Session) -> None:
        for fleet in session.fleets or ():
            self._of_fleet[fleet].discard(session)
        siblings = self.by_vehicle.get(session.name, [])
        if session in siblings:
            siblings.remove(session)
            if not siblings:
                del self.by_vehicle[session.name]
                del self.by_slot[session.slot]

    def _forget_address(self, session: Session) -> None:
        self._unregistered[session.network] -= 1
        if self._unregistered[session.network] <= 0:
            del self._unregistered[session.network]

    # ---- Fan-out

    def to_vehicles(self, vehicle_ids: Iterable[str], event: events.Event) -> int:
        """Send to every device of these vehicles; how many connections that were."""
        encoded = events.encode_event(event)
        return _post([session for name in vehicle_ids for session in self.by_vehicle.get(name, ())], encoded)

    def to_fleet(self, fleet: int, event: events.Event, *, without: str = "") -> int:
        """Send to every vehicle of a fleet but the one called `without`, and to its dispatchers."""
        encoded = events.encode_event(event)
        vehicles = (session for session in self._of_fleet.get(fleet, ()) if session.name != without)
        return _post(vehicles, encoded) + _post(self.dispatchers_of(fleet), encoded)

    def to_dispatchers(self, fleet: int, event: events.Event) -> int:
        """Send to every dispatcher who may see the fleet."""
        receivers = self.dispatchers_of(fleet)
        return _post(receivers, events.encode_event(event)) if receivers else 0

    def to_workers(self, fleet: int, event: events.Event) -> int:
        """Send to every dispatcher who may work in the fleet."""
        receivers = [session for session in self.dispatchers_of(fleet) if works_in(session, fleet)]
        return _post(receivers, events.encode_event(event)) if receivers else 0

    def to_device(self, *, is_vehicle: bool, name: str, device_id: str, event: events.Event) -> int:
        """Send to one device of a vehicle, or to one page of a dispatcher."""
        sessions = self.by_vehicle.get(name, []) if is_vehicle else [s for s in self.dispatchers if s.name == name]
        return _post([s for s in sessions if s.device_id == device_id], events.encode_event(event))

    def to_around(
        self,
        fleet: int,
        topic: str,
        event: events.Event,
        *,
        center: str,
        place: tuple[float, float] | None,
        radius_m: float | None,
    ) -> int:
        """Send to the vehicles within `radius_m` meters of the place, and to the fleet's dispatchers; see `ToAround`.

        Vehicles that follow the topic already are told wherever they are now.
        """
        encoded = events.encode_event(event)
        sessions = list(self._of_fleet.get(fleet, ()))
        slots = [session.slot for session in sessions]
        distances = [None] * len(slots) if place is None else self.distances(slots, *place)
        reached = set()
        for session, distance_m in zip(sessions, distances, strict=True):
            is_center = session.name == center
            is_near = place is None or radius_m is None or (distance_m is not None and distance_m <= radius_m)
            if not (is_near or is_center or topic in session.topics):
                continue
            session.topics.add(topic)
            session.outbox.post(
                encoded if is_center or distance_m is None else events.with_distance(encoded, distance_m)
            )
            if not is_center:
                reached.add(session.name)
        count = _post(self.dispatchers_of(fleet), encoded)
        if reached:
            self.told(topic, tuple(reached))
        return len(reached) + count

    def to_followers(self, fleet: int, topic: str, event: events.Event, *, is_last: bool) -> int:
        """Send to the vehicles that follow the topic, and to the fleet's dispatchers; see `ToFollowers`."""
        encoded = events.encode_event(event)
        # Whose snapshot is being made may be about to follow it: it was read before this happened, perhaps.
        sessions = self._of_fleet.get(fleet, ())
        receivers = [session for session in sessions if topic in session.topics or session.outbox.is_held]
        if is_last:
            for session in receivers:
                session.topics.discard(topic)
        return _post(receivers, encoded) + _post(self.dispatchers_of(fleet), encoded)

    def dispatchers_of(self, fleet: int) -> list[Session]:
        """The dispatchers who may see the fleet."""
        return [session for session in self.dispatchers if session.fleets is None or fleet in session.fleets]


def works_in(session: Session, fleet: int) -> bool:
    """Whether the dispatcher may not only look at the fleet."""
    return session.works is None or fleet in session.works


def _post(receivers: Iterable[Session], encoded: bytes) -> int:
    count = 0
    for session in receivers:
        session.outbox.post(encoded)
        count += 1
    return count
