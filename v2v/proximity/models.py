"""Comings and goings between vehicles."""

from django.db import models

from v2v.fleets.models import Fleet
from v2v.vehicles.models import Vehicle


class ProximityEvent(models.Model):
    """Two vehicles of a fleet came near each other, or parted; one row a pair."""

    class Type(models.TextChoices):
        """As on the wire."""

        ENTER = "enter", "Enter"
        EXIT = "exit", "Exit"

    fleet = models.ForeignKey(Fleet, models.CASCADE, related_name="+", db_index=False)
    vehicle = models.ForeignKey(Vehicle, models.CASCADE, related_name="+", db_index=False)
    peer = models.ForeignKey(Vehicle, models.CASCADE, related_name="+", db_index=False)
    type = models.CharField(max_length=5, choices=Type.choices)
    distance_m = models.FloatField(null=True, blank=True, help_text="empty when a position went away")
    occurred_at = models.DateTimeField()

    class Meta:
        ordering = ["-occurred_at", "-id"]
        indexes = [
            models.Index(fields=["vehicle", "-occurred_at"], name="proximity_of_a_vehicle"),
            models.Index(fields=["peer", "-occurred_at"], name="proximity_of_a_peer"),
            models.Index(fields=["fleet", "-occurred_at"], name="proximity_in_a_fleet"),
        ]

    def __str__(self) -> str:
        return f"{self.vehicle_id} {self.type} {self.peer_id}"
