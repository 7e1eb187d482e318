"""Positions to put into a queue."""

from v2v.tracking.live import Fix
from v2v.tracking.records import PositionRecord, record_of

T0 = 1_795_608_000_000  # 2026-11-25 12:00 UTC


def record(vehicle: int = 1, ts: int = T0, **more: object) -> PositionRecord:
    about: dict[str, object] = {"fleet": 1, "received_ts": ts + 5, "source": "http", "conflict": None}
    given = {name: more.pop(name) for name in list(more) if name in about}
    fix = Fix(lat=25.0, lng=55.0, ts=ts, received_at=0.0, **more)  # type: ignore[arg-type]
    return record_of(fix, vehicle=vehicle, **(about | given))  # type: ignore[arg-type]
