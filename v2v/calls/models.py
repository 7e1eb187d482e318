"""Calls, and what happened to each. Nothing here is ever deleted.

Who did something is kept by name, as it was then: history outlives accounts.
"""

import uuid
from typing import Any, NoReturn

from django.conf import settings
from django.db import models
from django.db.models import Q

from v2v.calls.rules import LIVE, Reason, State
from v2v.fleets.models import Fleet
from v2v.protocol.fields import DISPATCH, MAX_ID_CHARS
from v2v.vehicles.models import Vehicle

MAX_NAME_CHARS = 150  # of a user
IS_LIVE = Q(state__in=[state.value for state in LIVE])


class CallSession(models.Model):
    """A call. `version` guards each change (optimistic locking).

    A side without a vehicle is dispatch: `caller_user` rang, `callee_user` answered. `caller_device` and
    `callee_device` are the two that talk: a vehicle's device, or a dispatcher's page.
    """

    class Media(models.TextChoices):
        """As on the wire."""

        AUDIO = "audio", "Audio"
        VIDEO = "video", "Video"

    class StateChoice(models.TextChoices):
        """`v2v.calls.rules.State` with its words."""

        INITIATED = State.INITIATED.value, "Initiated"
        RINGING = State.RINGING.value, "Ringing"
        ACTIVE = State.ACTIVE.value, "Active"
        ENDED = State.ENDED.value, "Ended"
        MISSED = State.MISSED.value, "Missed"
        REJECTED = State.REJECTED.value, "Rejected"
        FAILED = State.FAILED.value, "Failed"

    class ReasonChoice(models.TextChoices):
        """`v2v.calls.rules.Reason` with its words."""

        HANGUP = Reason.HANGUP.value, "Hung up"
        MAX_DURATION = Reason.MAX_DURATION.value, "As long as a call may be"
        CLOSED = Reason.CLOSED.value, "Closed by somebody else"
        TIMEOUT = Reason.TIMEOUT.value, "Nobody answered"
        CANCELLED = Reason.CANCELLED.value, "The caller hung up before"
        OFFLINE = Reason.OFFLINE.value, "Nobody was connected"
        DECLINED = Reason.DECLINED.value, "Declined"
        BUSY = Reason.BUSY.value, "In another call"
        CONNECTION_LOST = Reason.CONNECTION_LOST.value, "A side was lost"
        MEDIA_FAILURE = Reason.MEDIA_FAILURE.value, "No sound got through"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    fleet = models.ForeignKey(Fleet, models.PROTECT, related_name="calls", db_index=False)
    caller_vehicle = models.ForeignKey(Vehicle, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    caller_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    caller_device = models.CharField(max_length=MAX_ID_CHARS)
    caller_name = models.CharField(
        max_length=MAX_NAME_CHARS, blank=True, help_text="driver or dispatcher, as it was then"
    )
    callee_vehicle = models.ForeignKey(Vehicle, models.PROTECT, null=True, blank=True, related_name="+", db_index=False)
    callee_user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    callee_device = models.CharField(max_length=MAX_ID_CHARS, blank=True)
    callee_name = models.CharField(max_length=MAX_NAME_CHARS, blank=True, help_text="who answered: user or device")
    media = models.CharField(max_length=5, choices=Media.choices)

    state = models.CharField(max_length=9, choices=StateChoice.choices)
    end_reason = models.CharField(max_length=15, choices=ReasonChoice.choices, blank=True)
    ended_by = models.CharField(max_length=MAX_NAME_CHARS, blank=True, help_text="empty: the server itself")
    started_at = models.DateTimeField()
    ring_until = models.DateTimeField()
    answered_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    caller_seen_at = models.DateTimeField(help_text="when the caller was last known to be connected")
    callee_seen_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            # The services lock who takes part before they look; these hold whatever the services do.
            models.UniqueConstraint(fields=["caller_vehicle"], condition=IS_LIVE, name="one_live_call_from_a_vehicle"),
            models.UniqueConstraint(fields=["callee_vehicle"], condition=IS_LIVE, name="one_live_call_to_a_vehicle"),
            models.UniqueConstraint(fields=["caller_user"], condition=IS_LIVE, name="one_live_call_from_a_user"),
            models.UniqueConstraint(fields=["callee_user"], condition=IS_LIVE, name="one_live_call_answered_by_a_user"),
            models.CheckConstraint(
                condition=Q(caller_vehicle=None) ^ Q(caller_user=None), name="a_call_has_one_caller"
            ),
            models.CheckConstraint(condition=IS_LIVE ^ Q(ended_at__isnull=False), name="what_is_over_has_an_end"),
        ]
        indexes = [
            models.Index(fields=["fleet", "-started_at", "-id"], name="calls_of_a_fleet"),
            models.Index(fields=["caller_vehicle", "-started_at"], name="calls_from_a_vehicle"),
            models.Index(fields=["callee_vehicle", "-started_at"], name="calls_to_a_vehicle"),
            models.Index(fields=["state"], condition=IS_LIVE, name="live_calls"),
        ]

    def __str__(self) -> str:
        return f"{self.caller_id} to {self.callee_id}"

    @property
    def caller_id(self) -> str:
        """On the wire: a vehicle, or `dispatch`."""
        return self.caller_vehicle.vehicle_id if self.caller_vehicle is not None else DISPATCH

    @property
    def callee_id(self) -> str:
        """On the wire: a vehicle, or `dispatch`."""
        return self.callee_vehicle.vehicle_id if self.callee_vehicle is not None else DISPATCH

    @property
    def is_live(self) -> bool:
        """Whether it is not over yet."""
        return self.state in LIVE


class CallEvent(models.Model):
    """One thing that happened to a call. Only ever added to.

    `sender_key` and `client_id` are of the command, where it must not be done twice: the same two again are the same.
    """

    class Kind(models.TextChoices):
        """What happened."""

        INITIATED = "initiated", "Initiated"
        RINGING = "ringing", "Ringing"
        ANSWERED = "answered", "Answered"
        DECLINED = "declined", "Declined by one of several"
        ENDED = "ended", "Ended"
        MISSED = "missed", "Missed"
        REJECTED = "rejected", "Rejected"
        FAILED = "failed", "Failed"

    call = models.ForeignKey(CallSession, models.PROTECT, related_name="history", db_index=False)
    kind = models.CharField(max_length=9, choices=Kind.choices)
    at = models.DateTimeField()
    by = models.CharField(max_length=MAX_NAME_CHARS, blank=True, help_text="empty: the server itself")
    reason = models.CharField(max_length=15, choices=CallSession.ReasonChoice.choices, blank=True)
    sender_key = models.CharField(max_length=96, blank=True)
    client_id = models.CharField(max_length=MAX_ID_CHARS, blank=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["sender_key", "client_id"], condition=~Q(client_id=""), name="one_call_a_command"
            )
        ]
        indexes = [models.Index(fields=["call", "at", "id"], name="history_of_a_call")]

    def __str__(self) -> str:
        return f"{self.call_id} {self.kind}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Add it; what happened is not changed afterward."""
        if not self._state.adding:
            raise TypeError("The history of a call is only added to.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        """Never."""
        raise TypeError("The history of a call is only added to.")
