"""How fast the alerts of a period were answered: altogether, by week, by type, and beside the period before it."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from v2v.alerts.models import Alert
from v2v.alerts.selectors import MAX_MEASURED, AnswerTimes, Wait, answer_times_of, measurable, wait_of

PERIODS = (7, 30, 90, 365)  # days
USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class Trend:
    """What has changed since the period before; None where one of the two has nothing to measure.

    Shares in points of a percent, times in seconds.
    """

    shares: tuple[float | None, ...]
    median_s: float | None
    p95_s: float | None
    count: int


class Group(NamedTuple):
    """Some of the alerts: a week, by the Monday that it begins with, or a type, by its word."""

    name: date | str
    times: AnswerTimes


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of the last `days`; `is_cut` when there were too many alerts to look at them all."""

    days: int
    since: datetime
    until: datetime
    times: AnswerTimes
    trend: Trend
    drills: AnswerTimes
    weeks: list[Group]
    types: list[Group]
    is_cut: bool


def figures_of(alerts: QuerySet[Alert], *, days: int, zone: ZoneInfo, now: datetime) -> Figures:
    """The figures of these alerts; weeks are those of the zone, the newest first, types by their number of alerts."""
    since = now - timedelta(days=days)
    both = measurable(alerts).filter(stored_at__gte=since - timedelta(days=days), stored_at__lte=now)
    newest = both.order_by("-stored_at").values_list("stored_at", "answered_at", "type", "drill")
    rows = list(newest[: MAX_MEASURED + 1])
    current, earlier, drills = [], [], []
    weeks: defaultdict[date, list[Wait]] = defaultdict(list)
    types: defaultdict[str, list[Wait]] = defaultdict(list)
    for stored_at, answered_at, kind, is_drill in rows[:MAX_MEASURED]:
        wait = wait_of(stored_at, answered_at, now)
        if stored_at < since:
            if not is_drill:
                earlier.append(wait)
        elif is_drill:
            drills.append(wait)
        else:
            current.append(wait)
            weeks[_monday(stored_at.astimezone(zone).date())].append(wait)
            types[kind].append(wait)
    times = answer_times_of(current)
    return Figures(
        days=days,
        since=since,
        until=now,
        times=times,
        trend=_trend(answer_times_of(earlier), times),
        drills=answer_times_of(drills),
        weeks=[Group(monday, answer_times_of(weeks[monday])) for monday in _mondays(since, now, zone)],
        types=[
            Group(Alert.Type(name).label, answer_times_of(of_type))
            for name, of_type in sorted(types.items(), key=lambda item: -len(item[1]))
        ],
        is_cut=len(rows) > MAX_MEASURED,
    )


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _mondays(since: datetime, until: datetime, zone: ZoneInfo) -> list[date]:
    """Every week that the period touches, the newest first."""
    first, last = (_monday(moment.astimezone(zone).date()) for moment in (since, until))
    return [last - timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]


def _trend(before: AnswerTimes, now: AnswerTimes) -> Trend:
    def change(old: float | None, new: float | None) -> float | None:
        return None if old is None or new is None else new - old

    shares = tuple(change(old.share, new.share) for old, new in zip(before.marks, now.marks, strict=True))
    return Trend(
        shares=tuple(None if share is None else share * 100 for share in shares),
        median_s=change(before.median_s, now.median_s),
        p95_s=change(before.p95_s, now.p95_s),
        count=now.count - before.count,
    )


HEADER = ("group", "name", "alerts", "answered", "within 64 s", "within 106 s", "median s", "p95 s")


def figures_rows(figures: Figures) -> list[list[object]]:
    """As rows for a spreadsheet; shares between 0 and 1."""
    groups: list[tuple[str, str, AnswerTimes]] = [("all", f"{figures.days} days", figures.times)]
    groups += [("week", str(name), times) for name, times in figures.weeks]
    groups += [("type", str(name), times) for name, times in figures.types]
    groups.append(("drills", f"{figures.days} days", figures.drills))
    return [[group, name, *_values(times)] for group, name, times in groups]


def _values(times: AnswerTimes) -> list[object]:
    shares = [mark.share for mark in times.marks]
    rounded = [None if value is None else round(value, 4) for value in (*shares, times.median_s, times.p95_s)]
    return [times.count, times.answered, *("" if value is None else value for value in rounded)]
