"""Lengths of time as a person reads them."""

from datetime import datetime, timedelta

from django import template

register = template.Library()
NONE = "\N{EN DASH}"

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))


@register.filter
def duration(value: timedelta | float | None) -> str:
    """A timedelta or seconds in its two largest units: "48 s", "1 min 23 s", "2 d 4 h"; a dash for None."""
    if value is None:
        return NONE
    left = round(value.total_seconds() if isinstance(value, timedelta) else value)
    parts: list[str] = []
    for unit, size in _UNITS:
        count, left = divmod(max(0, left), size)
        if count or (unit == "s" and not parts):
            parts.append(f"{count} {unit}")
    return " ".join(parts[:2])


@register.filter
def percent(share: float | None) -> str:
    """A share between 0 and 1: "93.4 %"; a dash for None."""
    return NONE if share is None else f"{share * 100:.1f} %".replace(".0 %", " %")


@register.filter
def since(at: datetime, begin: datetime) -> timedelta:
    """From `begin` to `at`."""
    return at - begin


@register.filter
def points(change: float | None) -> str:
    """A change of a share in points of a percent, with its sign: "+3.2", "-1"."""
    return "" if change is None else f"{change:+.1f}".replace(".0", "")
