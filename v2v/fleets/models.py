"""Fleets and their people."""

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.conf import settings
from django.db import models


class Fleet(models.Model):
    """Vehicles and people that belong together. Fleets never see each other."""

    slug = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=64)
    time_zone = models.CharField(max_length=40, default="UTC", help_text="IANA name, such as Asia/Dubai")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["slug"]

    def __str__(self) -> str:
        return self.name

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone; UTC where the name is none."""
        try:
            return ZoneInfo(self.time_zone)
        except (ZoneInfoNotFoundError, ValueError):
            return ZoneInfo("UTC")


class Role(models.TextChoices):
    """What a member may do; each role may do what those before it may. See `v2v.fleets.policy`."""

    VIEWER = "viewer", "Viewer"
    DISPATCHER = "dispatcher", "Dispatcher"
    FLEET_ADMIN = "fleet_admin", "Fleet admin"


class Membership(models.Model):
    """A user's role in a fleet. A superuser is system admin and needs none."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="memberships")
    fleet = models.ForeignKey(Fleet, models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        ordering = ["fleet", "user"]
        constraints = [models.UniqueConstraint(fields=["user", "fleet"], name="one_role_a_user_and_fleet")]

    def __str__(self) -> str:
        return f"{self.user} {self.role} of {self.fleet}"
