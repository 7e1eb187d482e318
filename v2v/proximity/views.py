"""Positions to dispatchers: at once where they look and whom they follow, now and then everywhere else."""

from v2v.realtime.hub import Hub
from v2v.realtime.session import Session
from v2v.tracking.live import Fix, LiveState, Track

ELSEWHERE_EVERY_S = 10.0
_TURNS = 50  # the vehicles come in so many groups, by slot, so that not all of them come at once

_Shown = dict[int, bytes]  # encoded parts by slot


class Views:
    """One frame a dispatcher and tick; those who look at the same get the same bytes.

    A vehicle that moves outside of a view is shown there every 10 s, and once more after it came to rest: the lists and
    circles of a dispatcher who looks elsewhere do not freeze.
    """

    def __init__(self, hub: Hub, live: LiveState) -> None:
        self._hub = hub
        self._live = live
        self._unseen: list[set[int]] = [set() for _ in range(_TURNS)]  # who moved since everybody was shown it
        self._turn: int | None = None  # the last that was served; None while nobody's view is narrowed

    def tell(self, moved: list[Track], now: float) -> None:
        """Send what has moved with the tick that began at `now` (monotonic seconds)."""
        dispatchers = self._hub.dispatchers
        due: list[Track] = []
        if any(session.view is not None for session in dispatchers):
            due = self._due(moved, now)
        else:
            self._turn = None
        if not moved and not due:
            return
        frames: dict[tuple[object, object], tuple[_Shown, list[int], list[bytes]]] = {}
        for session in dispatchers:
            frame = frames.get((session.fleets, session.view))
            if frame is None:
                shown = self._shown(session, moved, due)
                frame = frames[session.fleets, session.view] = (shown, list(shown), list(shown.values()))
            shown, slots, parts = frame
            if followed := self._followed(session, shown, now):
                session.send_positions(slots + list(followed), parts + list(followed.values()))
            elif slots:
                session.send_positions(slots, parts)

    def _due(self, moved: list[Track], now: float) -> list[Track]:
        """Those whose turn it is to be shown to everybody, and who moved since their last one."""
        for track in moved:
            self._unseen[track.slot % _TURNS].add(track.slot)
        turn = int(now / ELSEWHERE_EVERY_S * _TURNS)
        served = turn - 1 if self._turn is None else max(self._turn, turn - _TURNS)
        due: list[Track] = []
        for each in range(served + 1, turn + 1):
            slots = self._unseen[each % _TURNS]
            due += [self._live.tracks[slot] for slot in slots]
            slots.clear()
        self._turn = turn
        return due

    @staticmethod
    def _shown(session: Session, moved: list[Track], due: list[Track]) -> _Shown:
        shown = {track.slot: track.tracked_part for track in moved if is_in_view(track, track.fix, session)}
        if session.view is not None:
            shown |= {track.slot: track.tracked_part for track in due if may_see(session, track)}
        return shown

    def _followed(self, session: Session, shown: _Shown, now: float) -> _Shown:
        """The followed vehicles that moved and that are not in the frame yet."""
        tracks = [self._live.by_vehicle.get(vehicle_id) for vehicle_id in session.followed]
        return {
            track.slot: track.tracked_part
            for track in tracks
            if track is not None and track.taken_at == now and track.slot not in shown and may_see(session, track)
        }


def is_in_view(track: Track, fix: Fix | None, session: Session) -> bool:
    """Whether the dispatcher may see the vehicle, and has it on the map."""
    if fix is None or not may_see(session, track):
        return False
    if session.view is None:
        return True
    west, south, east, north = session.view
    across = west <= fix.lng <= east if west <= east else fix.lng >= west or fix.lng <= east
    return bool(south <= fix.lat <= north and across)


def may_see(session: Session, track: Track) -> bool:
    """Whether the dispatcher may see the vehicle at all."""
    return session.fleets is None or track.fleet in session.fleets
