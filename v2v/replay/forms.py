"""What the address of a replay may ask for."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import QueryDict
from django.utils import timezone

from v2v.protocol.epoch import moment
from v2v.protocol.fields import MAX_EPOCH_MS
from v2v.replay.selectors import MAX_SPAN, MAX_VEHICLES

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_IN_ADDRESS = {"start": "from", "end": "to"}  # `from` is a word of Python
_SPANS = [("hour", "Last hour"), ("today", "Today"), ("yesterday", "Yesterday"), ("custom", "From ... to")]


class Callsigns(forms.Field):
    """Callsigns, given one by one or with commas between them; each once, in their order."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: list[str] | None) -> list[str]:
        """The callsigns; what cannot be one is left out."""
        return _callsigns(value)

    def validate(self, value: list[str]) -> None:
        """At most 20."""
        if len(value) > MAX_VEHICLES:
            raise forms.ValidationError(f"Choose {MAX_VEHICLES} vehicles at most; these are {len(value)}.")


def _callsigns(given: list[str] | None) -> list[str]:
    names = (name.strip() for each in given or () for name in each.split(","))
    return [*dict.fromkeys(name for name in names if 0 < len(name) <= 40)]


def _moment(label: str) -> forms.DateTimeField:
    widget = forms.DateTimeInput({"class": "input", "type": "datetime-local", "step": "1"}, format="%Y-%m-%dT%H:%M:%S")
    return forms.DateTimeField(label=label, required=False, widget=widget)


class ReplayForm(forms.Form):
    """Which vehicles and when: `vehicles`, `span`, `from`, `to`. A time without a zone is one of `zone`."""

    vehicles = Callsigns(required=False)
    span = forms.ChoiceField(required=False, choices=_SPANS)
    start = _moment("From")
    end = _moment("To")

    def __init__(self, query: QueryDict, *, zone: ZoneInfo, now: datetime) -> None:
        super().__init__(query)
        self.zone, self.now = zone, now

    @property
    def callsigns(self) -> list[str]:
        """The vehicles to show as chosen: the first 20, also when there were more."""
        return _callsigns(self["vehicles"].data)[:MAX_VEHICLES]

    def add_prefix(self, field_name: str) -> str:
        """The name in the address."""
        return _IN_ADDRESS.get(field_name, field_name)

    def full_clean(self) -> None:
        """In the zone."""
        with timezone.override(self.zone):
            super().full_clean()

    def clean(self) -> dict[str, Any]:
        """The span that was asked for, as `start` and `end`; it never goes beyond now."""
        given = super().clean() or {}
        start, end = given.get("start"), given.get("end")
        if given.get("span") in ("", None):
            given["span"] = "custom" if start or end or self.errors else "hour"
        if given["span"] != "custom":
            given["start"], given["end"] = self._preset(given["span"])
        elif not self.errors:
            if not start or not end:
                self.add_error("end" if start else "start", "Say from when until when.")
            else:
                given["end"] = self._checked(start, end)
        return given

    def _preset(self, span: str) -> tuple[datetime, datetime]:
        today = self.now.astimezone(self.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        if span == "today":
            return today, self.now
        if span == "yesterday":
            return today - timedelta(days=1), today
        return self.now - timedelta(hours=1), self.now

    def _checked(self, start: datetime, end: datetime) -> datetime:
        if start < _EARLIEST or start >= self.now:
            self.add_error("start", "It must lie in the past, after the year 2000.")
        elif end <= start:
            self.add_error("end", "It must lie after the beginning.")
        elif end - start > MAX_SPAN:
            self.add_error("end", "A replay is a day at most: choose an earlier end or a later beginning.")
        return min(end, self.now)


class Refused(ValueError):
    """A part of the query that is not valid: `field` and `issue` as in the API's problems."""

    def __init__(self, field: str, issue: str) -> None:
        super().__init__(f"{field}: {issue}")
        self.details = {"field": field, "issue": issue}


def span_of(query: Mapping[str, str]) -> tuple[datetime, datetime]:
    """`from` and `to` (epoch ms), as the page asks for the parts of a replay. Raises Refused."""
    start, end = (_epoch(query, name) for name in ("from", "to"))
    if not start < end:
        raise Refused("to", "not after from")
    if end - start > MAX_SPAN:
        raise Refused("to", "more than 25 hours after from")
    return start, end


def _epoch(query: Mapping[str, str], name: str) -> datetime:
    text = query.get(name, "")
    if not (text.isascii() and text.isdigit() and len(text) < 15 and int(text) <= MAX_EPOCH_MS):
        raise Refused(name, "not epoch milliseconds")
    return moment(int(text))
