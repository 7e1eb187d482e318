"""Alerts, whom they reached, and what was done about them. Nothing here is ever deleted.

Who did something is kept by name, as it was then: history outlives accounts.
"""

import uuid
from datetime import timedelta
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q

from v2v.alerts.rules import ACTIVE, State
from v2v.fleets.models import Fleet
from v2v.vehicles.models import Vehicle

MAX_NAME_CHARS = 150  # of a user


class Alert(models.Model):
    """A call for help. `version` guards each change (optimistic locking).

    `client_id` is the sender's own id of it: a second one with the same id is the first one again. Who sent it is the
    vehicle `sender`, unless `raised_by` raised it, for that vehicle or for none; a rule's own has neither.
    """

    class Type(models.TextChoices):
        """As on the wire."""

        CRASH = "crash", "Crash"
        MEDICAL = "medical", "Medical"
        BREAKDOWN = "breakdown", "Breakdown"
        HAZARD = "hazard", "Hazard"
        SECURITY = "security", "Security"
        OTHER = "other", "Other"

    class Severity(models.TextChoices):
        """As on the wire."""

        CRITICAL = "critical", "Critical"
        HIGH = "high", "High"
        MEDIUM = "medium", "Medium"
        LOW = "low", "Low"

    class Via(models.TextChoices):
        """Which way it came."""

        WS = "ws", "Socket"
        RADIO = "radio", "Radio"
        RULE = "rule", "Rule"
        API = "api", "API"

    class StateChoice(models.TextChoices):
        """`v2v.alerts.rules.State` with its words."""

        OPEN = State.OPEN.value, "Open"
        ACKNOWLEDGED = State.ACKNOWLEDGED.value, "Acknowledged"
        ASSIGNED = State.ASSIGNED.value, "Assigned"
        RESOLVED = State.RESOLVED.value, "Resolved"
        CANCELLED = State.CANCELLED.value, "Cancelled"
        NEGATED = State.NEGATED.value, "Negated"

    class Disposition(models.TextChoices):
        """How a resolved one ended."""

        VALID = "valid", "Valid"
        FALSE = "false", "False alarm"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    fleet = models.ForeignKey(Fleet, models.PROTECT, related_name="alerts")
    sender = models.ForeignKey(Vehicle, models.PROTECT, related_name="alerts", null=True, blank=True)
    raised_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", null=True, blank=True)
    client_id = models.CharField(max_length=64)
    via = models.CharField(max_length=5, choices=Via.choices)

    type = models.CharField(max_length=9, choices=Type.choices)
    cause_code = models.PositiveSmallIntegerField(help_text="causeCode of ETSI DENM")
    severity = models.CharField(max_length=8, choices=Severity.choices)
    message = models.CharField(max_length=512, blank=True)
    lat = models.FloatField(null=True, blank=True, help_text="degrees")
    lng = models.FloatField(null=True, blank=True, help_text="degrees")
    fix_at = models.DateTimeField(null=True, blank=True, help_text="when it was there")
    radius_m = models.FloatField(null=True, blank=True, help_text="how far it matters, meters; empty: the whole fleet")
    drill = models.BooleanField(default=False)

    state = models.CharField(max_length=12, choices=StateChoice.choices, default=State.OPEN.value)
    detected_at = models.DateTimeField(help_text="when it happened, by the sender's clock")
    stored_at = models.DateTimeField()
    displayed_at = models.DateTimeField(null=True, blank=True)
    displayed_by = models.CharField(max_length=MAX_NAME_CHARS, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True, help_text="when it was first taken")
    acked_at = models.DateTimeField(null=True, blank=True, help_text="when it was taken by who has it now")
    acked_by = models.CharField(max_length=MAX_NAME_CHARS, blank=True)
    assigned_to = models.CharField(max_length=64, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=MAX_NAME_CHARS, blank=True)
    disposition = models.CharField(max_length=5, choices=Disposition.choices, blank=True)
    escalate_at = models.DateTimeField(null=True, blank=True)
    escalation_level = models.PositiveSmallIntegerField(default=0)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-stored_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["sender", "client_id"], condition=Q(raised_by=None), name="one_alert_a_vehicle_and_client_id"
            ),
            models.UniqueConstraint(
                fields=["raised_by", "client_id"],
                condition=~Q(raised_by=None),
                name="one_alert_a_user_and_client_id",
            ),
            models.UniqueConstraint(
                fields=["fleet", "client_id"],
                condition=Q(sender=None, raised_by=None),
                name="one_alert_of_a_rule_and_client_id",
            ),
            models.CheckConstraint(
                condition=~Q(sender=None, raised_by=None) | Q(via="rule"), name="an_alert_has_a_sender_or_a_rule"
            ),
            models.CheckConstraint(
                condition=Q(lat=None, lng=None) | ~Q(lat=None) & ~Q(lng=None), name="an_alert_has_no_half_a_position"
            ),
        ]
        indexes = [
            models.Index(fields=["fleet", "-stored_at", "-id"], name="alerts_of_a_fleet"),
            models.Index(fields=["sender", "-stored_at"], name="alerts_of_a_vehicle"),
            models.Index(
                fields=["fleet", "state", "-stored_at"],
                condition=Q(state__in=[state.value for state in ACTIVE]),
                name="active_alerts_of_a_fleet",
            ),
            models.Index(fields=["escalate_at"], condition=~Q(escalate_at=None), name="alerts_by_escalation_deadline"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.id}"

    @property
    def sender_name(self) -> str:
        """The vehicle's id; the user's name where there is no vehicle, and a word for the server's own rules."""
        if self.sender is not None:
            return self.sender.vehicle_id
        return self.raised_by.get_username() if self.raised_by is not None else "rule"

    @property
    def answer_time(self) -> timedelta | None:
        """How long it waited until it was first taken; None for one that never was."""
        return None if self.answered_at is None else self.answered_at - self.stored_at

    @property
    def is_active(self) -> bool:
        """Whether anything is left to do."""
        return self.state in ACTIVE


class AlertRecipient(models.Model):
    """A vehicle that was told of an alert: at once, or with its snapshot when it came back."""

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="recipients")
    vehicle = models.ForeignKey(Vehicle, models.PROTECT, related_name="+")
    delivered_at = models.DateTimeField(help_text="when it was sent")

    class Meta:
        ordering = ["delivered_at", "id"]
        constraints = [models.UniqueConstraint(fields=["alert", "vehicle"], name="one_row_a_recipient")]

    def __str__(self) -> str:
        return f"{self.alert_id} to {self.vehicle_id}"


class AlertEvent(models.Model):
    """One thing that was done about an alert. Only ever added to.

    `client_id` is that of the command, where it had one: the same one again is not done again.
    """

    class Kind(models.TextChoices):
        """As on the wire (`change` of `alert_updated`)."""

        RAISED = "raised", "Raised"
        UPDATED = "updated", "Updated"
        WORSENED = "worsened", "Got worse"
        DISPLAYED = "displayed", "Displayed"
        ACKNOWLEDGED = "acknowledged", "Acknowledged"
        ASSIGNED = "assigned", "Assigned"
        NOTED = "noted", "Noted"
        ESCALATED = "escalated", "Escalated"
        RESOLVED = "resolved", "Resolved"
        CANCELLED = "cancelled", "Cancelled"
        NEGATED = "negated", "Negated"

    alert = models.ForeignKey(Alert, models.PROTECT, related_name="history")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    at = models.DateTimeField()
    by = models.CharField(max_length=MAX_NAME_CHARS, blank=True, help_text="empty: the server itself")
    note = models.CharField(max_length=512, blank=True)
    client_id = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "by", "client_id"], condition=~Q(client_id=""), name="once_a_command"
            )
        ]
        indexes = [models.Index(fields=["alert", "at", "id"], name="history_of_an_alert")]

    def __str__(self) -> str:
        return f"{self.alert_id} {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add it; what was done is not changed afterward."""
        if not self._state.adding:
            raise TypeError("The history of an alert is only added to.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise TypeError("The history of an alert is only added to.")
