"""The demo fleet: a fleet in Dubai, two people who can sign in, and trucks with tokens for the simulator."""

import json
import secrets
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from v2v.fleets.models import Fleet, Membership, Role
from v2v.vehicles.models import DeviceToken, Vehicle
from v2v.vehicles.private_files import private_file_write
from v2v.vehicles.services import vehicles_enroll

PREFIX = "truck-"
DISPATCHER, ADMIN = "dispatcher", "admin"


@dataclass(frozen=True, slots=True)
class Demo:
    """What was prepared; `logins` holds passwords by user name, without those that somebody has changed."""

    logins: dict[str, str]
    tokens_file: Path
    vehicles: int


@transaction.atomic
def demo_prepare(*, vehicles: int, now: datetime) -> Demo:
    """Make what is missing of the demo fleet. Every start gives its trucks new tokens in place of the last start's.

    Passwords are made at the first start and kept in VAR_DIR, readable by their owner alone.
    """
    fleet, _ = Fleet.objects.get_or_create(slug="demo", defaults={"name": "Dubai Logistics", "time_zone": "Asia/Dubai"})
    tokens_file = settings.VAR_DIR / "demo_tokens.json"
    DeviceToken.objects.filter(device__vehicle__fleet=fleet, device__vehicle__vehicle_id__startswith=PREFIX).delete()
    trucks = _trucks(fleet, vehicles)
    tokens = vehicles_enroll(vehicles=trucks, fleet=fleet, now=now) if trucks else {}
    private_file_write(tokens_file, json.dumps(tokens))
    return Demo(_logins(fleet), tokens_file, len(tokens))


def _trucks(fleet: Fleet, count: int) -> list[Vehicle]:
    """`truck-001` and on, without those that somebody has deleted or given to another fleet: they stay away."""
    gone = Vehicle.objects.filter(vehicle_id__startswith=PREFIX).exclude(fleet=fleet, deleted_at=None)
    taken = set(gone.values_list("vehicle_id", flat=True))
    wanted = [f"{PREFIX}{n:03d}" for n in range(1, count + 1)]
    return [Vehicle(vehicle_id=vehicle_id) for vehicle_id in wanted if vehicle_id not in taken]


def _logins(fleet: Fleet) -> dict[str, str]:
    file = settings.VAR_DIR / "demo_logins.json"
    passwords: dict[str, str] = json.loads(file.read_text()) if file.exists() else {}
    for name in (DISPATCHER, ADMIN):
        if not User.objects.filter(username=name).exists():
            passwords[name] = secrets.token_urlsafe(9)
            is_admin = name == ADMIN
            user = User.objects.create_user(name, password=passwords[name], is_staff=is_admin, is_superuser=is_admin)
            if not is_admin:
                Membership.objects.create(user=user, fleet=fleet, role=Role.DISPATCHER)
    private_file_write(file, json.dumps(passwords))
    known = User.objects.filter(username__in=passwords)
    return {user.username: passwords[user.username] for user in known if user.check_password(passwords[user.username])}
