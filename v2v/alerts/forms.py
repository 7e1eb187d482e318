"""What a dispatcher may ask of the list of alerts, and say of one alert."""

from django import forms

from v2v.alerts.models import Alert
from v2v.alerts.selectors import ACTIVE_ONLY, ALL, UNTAKEN_ONLY, AlertChoice
from v2v.protocol.fields import MAX_CONTENT_CHARS, MAX_ID_CHARS, MAX_NAME_CHARS
from v2v.vehicles.models import one_line


class AlertFilter(forms.Form):
    """The filter of the list, as it stands in the address: `alerts`, `severity`, `type`."""

    alerts = forms.ChoiceField(required=False, choices=[(UNTAKEN_ONLY, "Untaken"), (ALL, "All")])
    severity = forms.ChoiceField(required=False, choices=Alert.Severity.choices)
    type = forms.ChoiceField(required=False, choices=Alert.Type.choices)

    def chosen(self) -> AlertChoice:
        """What was asked for; a value that is not valid counts as not given."""
        self.is_valid()
        given = self.cleaned_data
        return AlertChoice(
            which=given.get("alerts") or ACTIVE_ONLY,
            severity=given.get("severity", ""),
            type=given.get("type", ""),
        )


class AcknowledgeForm(forms.Form):
    """Taking an alert says nothing more."""


class AssignForm(forms.Form):
    """To whom; `replaces` is who had it when the form was shown."""

    assignee = forms.CharField(max_length=MAX_NAME_CHARS, validators=[one_line])
    replaces = forms.CharField(max_length=MAX_NAME_CHARS, required=False)


class NoteForm(forms.Form):
    """A note. `client_id` was made with the form: the same form sent twice is one note."""

    note = forms.CharField(max_length=MAX_CONTENT_CHARS)
    client_id = forms.CharField(max_length=MAX_ID_CHARS, required=False)


class NegateForm(forms.Form):
    """On whose word it is over."""

    note = forms.CharField(max_length=MAX_CONTENT_CHARS, required=False)


class ResolveForm(NegateForm):
    """How it ended; the rules want a note of why an alert was false."""

    disposition = forms.ChoiceField(choices=Alert.Disposition.choices)
