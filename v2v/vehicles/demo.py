"""The demo fleet: a fleet in Dubai, two people who can sign in, and vehicles with tokens for the simulator.

Passwords and tokens are made at the first start and kept in VAR_DIR, readable by their owner alone, so that the next
start finds them again. What somebody has changed since is left as it is.
"""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from v2v.fleets.models import Fleet, Membership, Role
from v2v.vehicles.models import Vehicle
from v2v.vehicles.services import vehicles_enroll

FLEET_SLUG = "demo"
DISPATCHER, ADMIN = "dispatcher", "admin"
_MODELS = [("Volvo", "FH16"), ("Scania", "R 450"), ("MAN", "TGX"), ("DAF", "XF"), ("Mercedes-Benz", "Actros")]
_COLORS = ["white", "red", "blue", "silver", "green"]


@dataclass(frozen=True, slots=True)
class Demo:
    """What was prepared. `logins` holds passwords by user name, without those that somebody has changed."""

    fleet: Fleet
    logins: dict[str, str]
    logins_file: Path
    tokens_file: Path
    vehicles: int


@transaction.atomic
def demo_prepare(*, vehicles: int, now: datetime) -> Demo:
    """Make what is missing of the demo fleet with `vehicles` vehicles, `truck-001` and on."""
    fleet, _ = Fleet.objects.update_or_create(
        slug=FLEET_SLUG, defaults={"name": "Dubai Logistics", "time_zone": "Asia/Dubai"}
    )
    logins_file = settings.VAR_DIR / "demo_logins.json"
    tokens_file = settings.VAR_DIR / "demo_tokens.json"
    passwords = _read(logins_file)
    for name in (DISPATCHER, ADMIN):
        if not User.objects.filter(username=name).exists():
            password = passwords.setdefault(name, secrets.token_urlsafe(9))
            is_admin = name == ADMIN
            user = User.objects.create_user(name, password=password, is_staff=is_admin, is_superuser=is_admin)
            if not is_admin:
                Membership.objects.create(user=user, fleet=fleet, role=Role.DISPATCHER)
    tokens = _tokens(fleet=fleet, count=vehicles, kept=_read(tokens_file), now=now)
    file_write_private(logins_file, json.dumps(passwords, indent=2))
    file_write_private(tokens_file, json.dumps(tokens))
    logins = {
        user.username: passwords[user.username]
        for user in User.objects.filter(username__in=passwords)
        if user.check_password(passwords[user.username])
    }
    return Demo(fleet, logins, logins_file, tokens_file, vehicles=len(tokens))


def _tokens(*, fleet: Fleet, count: int, kept: dict[str, str], now: datetime) -> dict[str, str]:
    """A good token for each vehicle: the one that was kept, else a new one. What was taken out of the demo stays out."""
    wanted = [f"truck-{n:03d}" for n in range(1, count + 1)]
    good = _good_tokens(fleet, kept)
    shut_out = set(
        Vehicle.objects.filter(vehicle_id__startswith="truck-")
        .exclude(fleet=fleet, disabled_at=None, deleted_at=None)
        .values_list("vehicle_id", flat=True)
    ) | set(
        Vehicle.objects.filter(vehicle_id__startswith="truck-", devices__device_id="default")
        .exclude(devices__revoked_at=None, devices__deleted_at=None)
        .values_list("vehicle_id", flat=True)
    )
    missing = [_truck(n) for n, name in enumerate(wanted, start=1) if name not in good and name not in shut_out]
    made = vehicles_enroll(vehicles=missing, fleet=fleet, now=now) if missing else {}
    have = {**good, **made}
    return {name: have[name] for name in wanted if name in have}
