"""The form of a geofence. Its place can be typed: the map fills the same fields in."""

import re
from collections.abc import Sequence
from typing import Any

from django import forms

from v2v.fleets.models import Fleet
from v2v.geofences.models import (
    KMH,
    MAX_HOLD_S,
    MAX_MINIMUM,
    MAX_MINUTES,
    MAX_SPEED_MPS,
    MAX_TYPE_CHARS,
    MAX_TYPES,
    Geofence,
)
from v2v.geofences.shapes import MAX_LATITUDE, MAX_POINTS, MAX_RADIUS_M, MIN_RADIUS_M
from v2v.vehicles.models import one_line

WEEKDAYS = [(1, "Mon"), (2, "Tue"), (3, "Wed"), (4, "Thu"), (5, "Fri"), (6, "Sat"), (7, "Sun")]
_MAX_POINTS_CHARS = 64 * MAX_POINTS
_NUMBER = r"[-+]?\d{1,3}(?:\.\d{1,17})?"
_POINT = re.compile(rf"^\s*({_NUMBER})\s*[,;\s]\s*({_NUMBER})\s*$")


class GeofenceForm(forms.Form):
    """What a dispatcher says of a geofence; `values` is that for the service. Speeds in km/h."""

    name = forms.CharField(max_length=64, validators=[one_line])
    fleet = forms.ModelChoiceField(Fleet.objects.none(), to_field_name="slug", empty_label=None)
    kind = forms.ChoiceField(choices=Geofence.Kind.choices)
    lat = forms.FloatField(min_value=-MAX_LATITUDE, max_value=MAX_LATITUDE, required=False)
    lng = forms.FloatField(min_value=-180, max_value=180, required=False)
    radius_m = forms.FloatField(min_value=MIN_RADIUS_M, max_value=MAX_RADIUS_M, required=False)
    points = forms.CharField(max_length=_MAX_POINTS_CHARS, required=False)
    color = forms.ChoiceField(choices=Geofence.Color.choices)
    note = forms.CharField(max_length=512, required=False)
    is_active = forms.BooleanField(required=False)
    vehicle_types = forms.CharField(max_length=MAX_TYPES * (MAX_TYPE_CHARS + 2), required=False)
    weekdays = forms.TypedMultipleChoiceField(choices=WEEKDAYS, coerce=int, required=False)
    begins = forms.TimeField(required=False)
    ends = forms.TimeField(required=False)
    hold_s = forms.IntegerField(min_value=0, max_value=MAX_HOLD_S)
    on_enter = forms.ChoiceField(choices=Geofence.ReactionChoice.choices)
    on_exit = forms.ChoiceField(choices=Geofence.ReactionChoice.choices)
    on_dwell = forms.ChoiceField(choices=Geofence.ReactionChoice.choices)
    dwell_minutes = forms.IntegerField(min_value=1, max_value=MAX_MINUTES)
    on_speed = forms.ChoiceField(choices=Geofence.ReactionChoice.choices)
    speed_kmh = forms.FloatField(min_value=2, max_value=MAX_SPEED_MPS * KMH)
    on_too_few = forms.ChoiceField(choices=Geofence.ReactionChoice.choices)
    minimum_inside = forms.IntegerField(min_value=1, max_value=MAX_MINIMUM)
    too_few_minutes = forms.IntegerField(min_value=1, max_value=MAX_MINUTES)
    version = forms.IntegerField(min_value=0, required=False)

    def __init__(self, *args: Any, fleets: Sequence[Fleet], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["fleet"].queryset = Fleet.objects.filter(pk__in=[fleet.pk for fleet in fleets])  # type: ignore[attr-defined]

    def clean_points(self) -> list[list[float]]:
        """Lines of latitude and longitude as a closed ring of [longitude, latitude]."""
        ring = []
        for number, line in enumerate(self.cleaned_data["points"].splitlines(), 1):
            if not line.strip():
                continue
            found = _POINT.match(line)
            if found is None:
                raise forms.ValidationError(f"Line {number} is not a latitude and a longitude: 25.2048, 55.2708.")
            ring.append([float(found[2]), float(found[1])])
        if ring and ring[0] != ring[-1]:
            ring.append(ring[0])
        return ring

    def clean_vehicle_types(self) -> list[str]:
        """Names between commas."""
        return [name.strip() for name in self.cleaned_data["vehicle_types"].split(",") if name.strip()]

    def clean(self) -> dict[str, Any]:
        """Refuse a place that is missing."""
        given = super().clean() or {}
        wanted = ["points"] if given.get("kind") == Geofence.Kind.POLYGON else ["lat", "lng", "radius_m"]
        for name in wanted:
            if name not in self.errors and given.get(name) in (None, [], ""):
                self.add_error(name, "Draw it on the map, or type it here.")
        return given

    @property
    def values(self) -> dict[str, Any]:
        """For the services, without the fleet and the version."""
        given = dict(self.cleaned_data)
        fields = {name: given.pop(name) for name in ("fleet", "version", "lat", "lng", "points", "speed_kmh")}
        if given["kind"] == Geofence.Kind.CIRCLE:
            given["geometry"] = {"type": "Point", "coordinates": [fields["lng"], fields["lat"]]}
        else:
            given["geometry"] = {"type": "Polygon", "coordinates": [fields["points"]]}
            given["radius_m"] = None
        given["speed_limit"] = fields["speed_kmh"] / KMH
        return given

    def refuse(self, field: str, words: str) -> None:
        """Show what the service refused at the field where it can be mended."""
        names = {
            "geometry": "points" if self.data.get("kind") == Geofence.Kind.POLYGON else "lat",
            "radiusM": "radius_m",
        }
        name = names.get(field, field)
        self.add_error(name if name in self.fields else None, words)


def initial_of(geofence: Geofence) -> dict[str, Any]:
    """What the form shows of a geofence."""
    named = ("name", "kind", "color", "note", "is_active", "weekdays", "begins", "ends", "hold_s", "version")
    rules = ("on_enter", "on_exit", "on_dwell", "dwell_minutes", "on_speed", "on_too_few")
    initial = {name: getattr(geofence, name) for name in (*named, *rules, "minimum_inside", "too_few_minutes")}
    initial |= {
        "fleet": geofence.fleet.slug,
        "vehicle_types": ", ".join(geofence.vehicle_types),
        "speed_kmh": round(geofence.speed_limit * KMH, 1),
        "radius_m": geofence.radius_m,
    }
    coordinates = geofence.geometry["coordinates"]
    if geofence.kind == Geofence.Kind.CIRCLE:
        return initial | {"lng": coordinates[0], "lat": coordinates[1], "points": ""}
    return initial | {"points": "\n".join(f"{lat}, {lng}" for lng, lat in coordinates[0][:-1])}
