"""What a viewer may ask of the list of calls. A value that is not valid counts as not given."""

from django import forms

from v2v.calls.listing import ANSWERED, LONGEST, MISSED, PAGE, CallChoice


class CallFilter(forms.Form):
    """The list's filter, as it stands in the address: `calls`, `who`; and the place `before`, and how many."""

    calls = forms.ChoiceField(required=False, choices=[(MISSED, "Missed"), (ANSWERED, "Answered")])
    who = forms.CharField(required=False, max_length=64)
    before = forms.UUIDField(required=False)
    count = forms.IntegerField(required=False, min_value=1, max_value=LONGEST)

    def chosen(self) -> CallChoice:
        """What was asked for."""
        self.is_valid()
        given = self.cleaned_data
        return CallChoice(
            which=given.get("calls", ""),
            search=given.get("who", ""),
            before=given.get("before"),
            count=max(PAGE, given.get("count") or 0),
        )
