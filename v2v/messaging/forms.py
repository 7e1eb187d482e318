"""What a viewer may ask of the pages of messages. A value that is not valid counts as not given."""

from datetime import UTC, datetime

from django import forms

from v2v.messaging.rules import Status
from v2v.messaging.threads import LIST_PAGE, LONGEST, ConversationChoice
from v2v.protocol.fields import MAX_EPOCH_MS, VEHICLE_ID_PATTERN


class ConversationFilter(forms.Form):
    """The list's filter: `find`, `kind`, the place `before`, and how many."""

    find = forms.CharField(required=False, max_length=64)
    kind = forms.ChoiceField(
        required=False, choices=[("direct", "Direct"), ("between", "Between vehicles"), ("broadcast", "Broadcast")]
    )
    before = forms.RegexField(r"^\d{1,17}-\d{1,18}$", required=False)
    count = forms.IntegerField(required=False, min_value=1, max_value=LONGEST)

    def clean_before(self) -> tuple[datetime, int] | None:
        """The place: epoch microseconds and a primary key."""
        text: str = self.cleaned_data["before"]
        if not text:
            return None
        micros, pk = map(int, text.split("-"))
        if micros > MAX_EPOCH_MS * 1000:
            raise forms.ValidationError("is beyond time")
        # In two parts: a float of microseconds since 1970 is off by one now and then.
        at = datetime.fromtimestamp(micros // 1_000_000, UTC).replace(microsecond=micros % 1_000_000)
        return at, pk

    def chosen(self) -> ConversationChoice:
        """What was asked for."""
        self.is_valid()
        given = self.cleaned_data
        return ConversationChoice(
            search=given.get("find", ""),
            kind=given.get("kind", ""),
            before=given.get("before"),
            count=max(LIST_PAGE, given.get("count") or 0),
        )


class ThreadWindow(forms.Form):
    """How much of a conversation: all `since` a message, and with `older` a page more."""

    since = forms.UUIDField(required=False)
    older = forms.BooleanField(required=False)


class RecipientFilter(forms.Form):
    """Which recipients of a message: in a `status`, behind the callsign `after`."""

    status = forms.ChoiceField(required=False, choices=[(str(each), each.capitalize()) for each in Status])
    after = forms.RegexField(VEHICLE_ID_PATTERN, required=False, max_length=40)
