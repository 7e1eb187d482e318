"""Figures of geofences in words."""

from django import template

from v2v.alerts.templatetags.durations import duration
from v2v.geofences.forms import WEEKDAYS
from v2v.geofences.models import KMH, Geofence, GeofenceEvent
from v2v.geofences.rules import Happening
from v2v.geofences.shapes import Area

register = template.Library()
_DAY_NAMES = dict(WEEKDAYS)


@register.filter
def kmh(speed: float) -> str:
    """Meters per second as km/h."""
    return f"{speed * KMH:.0f} km/h"


@register.filter
def hours(geofence: Geofence) -> str:
    """When it is awake."""
    days = ", ".join(_DAY_NAMES[day] for day in sorted(geofence.weekdays)) or "Every day"
    if geofence.begins is None or geofence.ends is None:
        return days if geofence.weekdays else "Always"
    return f"{days}, {geofence.begins:%H:%M} to {geofence.ends:%H:%M}"


@register.filter
def area(geofence: Geofence) -> str:
    """The size of an area."""
    shape = geofence.shape
    if not isinstance(shape, Area):
        return ""
    size = shape.area_m2
    return f"{size:,.0f} m²" if size < 100_000 else f"{size / 1e6:,.2f} km²"


@register.filter
def measured(event: GeofenceEvent) -> str:
    """The event's value with its unit."""
    value = event.value or 0.0
    if event.type == Happening.SPEED:
        return kmh(value)
    if event.type in (Happening.TOO_FEW, Happening.ENOUGH):
        return f"{value:.0f} inside"
    return f"after {duration(value)}"
