"""Distances and speeds as a person reads them; the page's script changes them to the unit that the viewer chose."""

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from v2v.driving.figures import change

register = template.Library()
NONE = "\N{EN DASH}"


@register.filter
def distance(meters: float | None) -> str | SafeString:
    """Meters: "340 m", "2.4 km", "1,240 km"; a dash for None."""
    if meters is None:
        return NONE
    kilometers = meters / 1000
    text = f"{meters:.0f} m" if meters < 1000 else f"{kilometers:,.{1 if kilometers < 100 else 0}f} km"
    return format_html('<span data-meters="{}">{}</span>', round(meters), text)


@register.filter
def speed(mps: float | None) -> str | SafeString:
    """Meters per second: "54 km/h"; a dash for None."""
    if mps is None:
        return NONE
    return format_html('<span data-mps="{}">{} km/h</span>', round(mps, 2), round(mps * 3.6))


@register.filter
def changed(now: float | None, before: float | None) -> str:
    """By how many percent it has changed, with its sign: "+12 %"; empty where there is nothing to compare with."""
    percent = change(now, before)
    return "" if percent is None else f"{percent:+.0f} %"
