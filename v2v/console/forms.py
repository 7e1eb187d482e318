"""What a viewer may ask of the list."""

from django import forms

from v2v.vehicles.models import VehicleStatus


class VehicleFilter(forms.Form):
    """The list's filter, as it stands in the address: `q`, `state`, `after`."""

    q = forms.CharField(required=False, max_length=64)
    state = forms.ChoiceField(required=False, choices=VehicleStatus.Presence.choices)
    after = forms.CharField(required=False, max_length=40)

    def chosen(self) -> dict[str, str]:
        """The filter by the names of `vehicle_page`; a value that is not valid counts as not given."""
        self.is_valid()
        return {
            "search": self.cleaned_data.get("q", ""),
            "state": self.cleaned_data.get("state", ""),
            "after": self.cleaned_data.get("after", ""),
        }
