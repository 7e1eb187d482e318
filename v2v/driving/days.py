"""The day of a moment, in a fleet's time zone."""

from datetime import date, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from v2v.fleets.models import Fleet
from v2v.protocol.epoch import epoch_ms


class Days:
    """Gives the day of a moment (epoch ms) as `2026-11-25`; moments in order cost a comparison, not a calendar."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._begin = self._end = 0
        self._day = ""

    def __call__(self, ts: int) -> str:
        """The day that holds the moment."""
        if not self._begin <= ts < self._end:
            day = datetime.fromtimestamp(ts / 1000, self._zone).date()
            self._day = day.isoformat()
            self._begin, self._end = (epoch_ms(moment) for moment in day_bounds(day, self._zone))
        return self._day


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The day's first moment, and that of the next one; a day of a clock change has 23 or 25 hours."""
    return (
        datetime.combine(day, time_of_day.min, zone),
        datetime.combine(day + timedelta(days=1), time_of_day.min, zone),
    )


def days_of_fleets(fleet_pks: set[int]) -> dict[int, Days]:
    """By the fleet's primary key."""
    return {fleet.pk: Days(fleet.zone) for fleet in Fleet.objects.filter(pk__in=fleet_pks)}
