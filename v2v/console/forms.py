"""What a viewer may ask of the list."""

from django import forms

from v2v.vehicles.models import VehicleStatus


class VehicleFilter(forms.Form):
    """What the address may hold: the list's filter `q`, `state`, `after`, and the selected `vehicle`."""

    q = forms.CharField(required=False, max_length=64)
    state = forms.ChoiceField(required=False, choices=VehicleStatus.Presence.choices)
    after = forms.CharField(required=False, max_length=40)
    vehicle = forms.CharField(required=False, max_length=40)

    def chosen(self) -> dict[str, str]:
        """The filter by the names of `vehicle_page`; a value that is not valid counts as not given."""
        return {"search": self.value("q"), "state": self.value("state"), "after": self.value("after")}

    def value(self, name: str) -> str:
        """What was given, or nothing when it is not valid."""
        self.is_valid()
        given: str = self.cleaned_data.get(name, "")
        return given
