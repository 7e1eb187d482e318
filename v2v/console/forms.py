"""What the address of the console may ask for."""

from collections.abc import Mapping

from django import forms

from v2v.console.selectors import PAGE_SIZE, VehicleChoice
from v2v.vehicles.models import VehicleStatus

LONGEST = 1000  # rows in one answer: a list that was scrolled that far is fetched again whole
TABS = ("vehicles", "alerts", "messages")


def tab_chosen(query: Mapping[str, str]) -> str:
    """The list that shows; the first where none, or none that there is, is named."""
    tab = query.get("tab", "")
    return tab if tab in TABS else TABS[0]


class VehicleFilter(forms.Form):
    """The filter of the list of vehicles: `q`, `state`, `after`, `count`."""

    q = forms.CharField(required=False, max_length=64)
    state = forms.ChoiceField(required=False, choices=VehicleStatus.Presence.choices)
    after = forms.CharField(required=False, max_length=40)
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
        )
