"""What a person may say on the pages of the radio."""

from django import forms

from radio.models import RadioFrame
from v2v.protocol.fields import MAX_CONTENT_CHARS


class FrameFilterForm(forms.Form):
    """Which frames the page lists; what is not valid counts as not given."""

    kind = forms.ChoiceField(required=False, choices=RadioFrame.Kind.choices)
    direction = forms.ChoiceField(required=False, choices=RadioFrame.Direction.choices)

    @property
    def wanted(self) -> dict[str, str]:
        """The filter that was asked for."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value}


class TextForm(forms.Form):
    """A text for a radio."""

    content = forms.CharField(max_length=MAX_CONTENT_CHARS)


class AssignForm(forms.Form):
    """The vehicle that a radio speaks for; empty for none."""

    vehicle = forms.CharField(max_length=40, required=False)
