"""Alerts as JSON. Names that the socket has too keep its units (`ts`: epoch milliseconds); `...At` is ISO 8601."""

from typing import Any

from rest_framework import serializers

from v2v.alerts.models import Alert, AlertEvent, AlertRecipient
from v2v.api.naming import CamelModelSerializer, CamelSerializer
from v2v.protocol.fields import MAX_CONTENT_CHARS, MAX_NAME_CHARS, MAX_RADIUS_M, VEHICLE_ID_PATTERN
from v2v.vehicles.models import one_line
from v2v.vehicles.serializers import EpochMsField

MAX_RECIPIENTS = 200
MAX_HISTORY = 500


class AlertSerializer(CamelModelSerializer[Alert]):
    """An alert; `senderId` is a vehicle's, or a user's name where no vehicle is concerned."""

    alert_id = serializers.UUIDField(source="pk")
    fleet = serializers.CharField(source="fleet.slug")
    sender_id = serializers.CharField(source="sender_name")
    ts = EpochMsField(source="detected_at")
    position_ts = EpochMsField(source="fix_at", allow_null=True)

    class Meta:
        model = Alert
        fields = [
            *("alert_id", "fleet", "sender_id", "type", "cause_code", "severity", "message", "via", "drill", "state"),
            *("lat", "lng", "position_ts", "radius_m", "ts", "stored_at", "displayed_at", "displayed_by"),
            *("answered_at", "acked_at", "acked_by", "assigned_to", "closed_at", "closed_by", "disposition"),
            *("escalation_level", "version"),
        ]


class RecipientSerializer(CamelModelSerializer[AlertRecipient]):
    """A vehicle that was told."""

    vehicle_id = serializers.CharField(source="vehicle.vehicle_id")

    class Meta:
        model = AlertRecipient
        fields = ["vehicle_id", "delivered_at"]


class AlertEventSerializer(CamelModelSerializer[AlertEvent]):
    """What was done; by the server itself where `by` is empty."""

    class Meta:
        model = AlertEvent
        fields = ["kind", "at", "by", "note"]


class AlertDetailSerializer(AlertSerializer):
    """With the first 200 recipients, how many there are, and the first 500 entries of the history."""

    recipient_count = serializers.SerializerMethodField()
    recipients = serializers.SerializerMethodField()
    history = serializers.SerializerMethodField()

    class Meta(AlertSerializer.Meta):
        fields = [*AlertSerializer.Meta.fields, "recipient_count", "recipients", "history"]

    def get_recipientCount(self, alert: Alert) -> int:  # noqa: N802 - the field's name on the wire
        """How many vehicles were told."""
        return alert.recipients.count()

    def get_recipients(self, alert: Alert) -> list[dict[str, Any]]:
        """Those that were told first."""
        return list(RecipientSerializer(alert.recipients.select_related("vehicle")[:MAX_RECIPIENTS], many=True).data)

    def get_history(self, alert: Alert) -> list[dict[str, Any]]:
        """In order."""
        return list(AlertEventSerializer(alert.history.all()[:MAX_HISTORY], many=True).data)


class AlertRequestSerializer(CamelSerializer):
    """A new alert: for the vehicle, or for the fleet where no vehicle is concerned."""

    vehicle_id = serializers.RegexField(VEHICLE_ID_PATTERN, required=False)
    fleet = serializers.CharField(max_length=40, required=False)
    type = serializers.ChoiceField(Alert.Type.choices, default="other")
    severity = serializers.ChoiceField(Alert.Severity.choices, default="critical")
    message = serializers.CharField(max_length=MAX_CONTENT_CHARS, required=False, allow_blank=True)
    lat = serializers.FloatField(min_value=-90, max_value=90, required=False)
    lng = serializers.FloatField(min_value=-180, max_value=180, required=False)
    radius_m = serializers.FloatField(min_value=1, max_value=MAX_RADIUS_M, required=False)
    drill = serializers.BooleanField(default=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what no field can refuse alone."""
        if ("lat" in attrs) != ("lng" in attrs):
            raise serializers.ValidationError({"lat": "lat and lng belong together"})
        return attrs


class AssignSerializer(CamelSerializer):
    """To whom; `replaces` names whom it is taken from."""

    assignee = serializers.CharField(max_length=MAX_NAME_CHARS, validators=[one_line])
    replaces = serializers.CharField(max_length=MAX_NAME_CHARS, required=False, default="", allow_blank=True)


class NoteSerializer(CamelSerializer):
    """A note."""

    note = serializers.CharField(max_length=MAX_CONTENT_CHARS)


class NegateSerializer(CamelSerializer):
    """On whose word."""

    note = serializers.CharField(max_length=MAX_CONTENT_CHARS, required=False, default="", allow_blank=True)


class ResolveSerializer(NegateSerializer):
    """How it ended; a false one needs a note."""

    disposition = serializers.ChoiceField(Alert.Disposition.choices)


class MarkSerializer(CamelSerializer):
    """A mark of NFPA 1221: the share that is wanted, and the fleet's own; null while there is nothing to measure."""

    within_s = serializers.IntegerField()
    wanted = serializers.FloatField()
    share = serializers.FloatField(allow_null=True)
    is_met = serializers.BooleanField(allow_null=True)


class AnswerTimesSerializer(CamelSerializer):
    """How fast alerts were first taken; seconds."""

    count = serializers.IntegerField()
    answered = serializers.IntegerField()
    median_s = serializers.FloatField(allow_null=True)
    p95_s = serializers.FloatField(allow_null=True)
    marks = MarkSerializer(many=True)
