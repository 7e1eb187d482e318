"""What a viewer may ask of the list."""

from django import forms

from v2v.console.selectors import PAGE_SIZE, VehicleChoice
from v2v.vehicles.models import VehicleStatus

LONGEST = 1000  # rows in one answer: a list that was scrolled that far is fetched again whole


class VehicleFilter(forms.Form):
    """What the address may hold: the list's filter `q`, `state`, `after`, `count`, and the selected `vehicle`."""

    q = forms.CharField(required=False, max_length=64)
    state = forms.ChoiceField(required=False, choices=VehicleStatus.Presence.choices)
    after = forms.CharField(required=False, max_length=40)
    vehicle = forms.CharField(required=False, max_length=40)
    count = forms.IntegerField(required=False, min_value=1, max_value=LONGEST)

    def chosen(self) -> VehicleChoice:
        """What was asked for; a value that is not valid counts as not given."""
        self.is_valid()
        given = self.cleaned_data
        return VehicleChoice(
            search=given.get("q", ""),
            state=given.get("state", ""),
            after=given.get("after", ""),
            count=max(PAGE_SIZE, given.get("count") or 0),
            selected=given.get("vehicle", ""),
        )
