"""What a fleet's admin may say of its driving rules."""

from typing import Any

from django import forms
from django.forms import inlineformset_factory

from v2v.driving.models import Action, FleetRules, SpeedLimit

_INPUT = {"class": "input"}
MAX_SPEED_LIMITS = 30
ACTIONS = ("crash", "overspeed", "harsh_braking", "harsh_acceleration", "harsh_cornering", "idle", "offline")
_LABELS = {
    "speed_limit_kmh": ("Speed limit", "km/h, for types of vehicle without a limit of their own"),
    "speed_hold_s": ("Held for", "seconds until it counts as overspeed"),
    "braking": ("Braking", "m/s\N{SUPERSCRIPT TWO}"),
    "acceleration": ("Acceleration", "m/s\N{SUPERSCRIPT TWO}"),
    "cornering": ("Cornering", "m/s\N{SUPERSCRIPT TWO}, sideways"),
    "crash_g": ("Crash", "g, when it ends in standing within a minute"),
    "stop_g": ("Crash to a stop", "g, when it ends in standing at once"),
    "idle_after_s": ("Idle", "seconds of standing with the engine on"),
    "offline_after_s": ("Offline", "seconds of silence from a vehicle that moved"),
}


class RulesForm(forms.ModelForm):  # type: ignore[type-arg]
    """Limits, and what crossing them leads to."""

    class Meta:
        model = FleetRules
        fields = [*_LABELS, *(f"on_{event}" for event in ACTIONS)]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, (label, unit) in _LABELS.items():
            self.fields[name].label, self.fields[name].help_text = label, unit
        for field in self.fields.values():
            field.widget.attrs |= _INPUT
            if isinstance(field, forms.FloatField):
                field.widget.attrs["step"] = "0.1"
        for event in ACTIONS:
            field = self.fields[f"on_{event}"]
            field.label = event.replace("_", " ").capitalize()
            field.widget.choices = Action.choices  # none is an empty one

    @property
    def limits(self) -> list[forms.BoundField]:
        """The fields of limits, in order."""
        return [self[name] for name in _LABELS]

    @property
    def actions(self) -> list[forms.BoundField]:
        """The fields of what events lead to, in order."""
        return [self[f"on_{event}"] for event in ACTIONS]


class SpeedLimitForm(forms.ModelForm):  # type: ignore[type-arg]
    """One type of vehicle and its limit."""

    class Meta:
        model = SpeedLimit
        fields = ["vehicle_type", "limit_kmh"]
        labels = {"vehicle_type": "Type of vehicle", "limit_kmh": "Limit in km/h"}
        help_texts = {"vehicle_type": "", "limit_kmh": ""}
        widgets = {"vehicle_type": forms.TextInput(_INPUT), "limit_kmh": forms.NumberInput(_INPUT)}


SpeedLimits = inlineformset_factory(
    FleetRules,
    SpeedLimit,
    form=SpeedLimitForm,
    extra=2,
    max_num=MAX_SPEED_LIMITS,
    absolute_max=MAX_SPEED_LIMITS + 2,
    validate_max=True,
)
