"""What a fleet admin may change of a vehicle, and what to do when somebody else was faster."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django import forms

from v2v.vehicles.models import Vehicle

EDITED = ("driver_name", "plate", "type", "make", "model", "color", "owner_uid")


class VehicleEditForm(forms.ModelForm):  # type: ignore[type-arg]
    """A vehicle's fields, each with what it held when the form was made, and the version that it was made from."""

    version = forms.IntegerField(min_value=1, widget=forms.HiddenInput)

    class Meta:
        model = Vehicle
        fields = [*EDITED, "version"]
        labels = {"driver_name": "Driver", "owner_uid": "Firebase user"}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in EDITED:
            self.fields[name].show_hidden_initial = True  # so that `changed_data` tells what the person has touched
            self.fields[name].widget.attrs |= {"class": "input", "autocomplete": "off"}


@dataclass(frozen=True, slots=True)
class Difference:
    """A field in which the form and the vehicle differ. `is_mine` where only the person has touched it, or both have.

    `is_both` where both have: then neither is right without a person's choice.
    """

    name: str
    label: str
    mine: str
    theirs: str
    is_mine: bool
    is_both: bool


def differences(form: VehicleEditForm, current: Vehicle) -> Iterator[Difference]:
    """Where a valid form and the vehicle as it is now differ, in the order of the fields."""
    touched = form.changed_data
    for name in EDITED:
        mine, theirs = form.cleaned_data[name], getattr(current, name)
        if mine == theirs:
            continue
        before = form.data.get(form.add_initial_prefix(name), "")
        is_mine = name in touched
        yield Difference(
            name=name,
            label=str(form.fields[name].label),
            mine=mine,
            theirs=theirs,
            is_mine=is_mine,
            is_both=is_mine and before != theirs,
        )
