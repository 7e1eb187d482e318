"""Issue device tokens from the command line."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from v2v.fleets.models import Fleet
from v2v.protocol.decode import Refusal
from v2v.vehicles.models import Vehicle
from v2v.vehicles.private_files import private_file_write
from v2v.vehicles.services import (
    DEFAULT_DEVICE_ID,
    device_add,
    device_token_issue,
    vehicle_enroll,
    vehicle_tokens_issue,
)

DEFAULT_FLEET = "demo"


class Command(BaseCommand):
    help = (
        "Issue device tokens: one for a vehicle, printed; or --count of them, for the vehicles PREFIX00001 and on, "
        "as a JSON object {vehicleId: token}. A token is shown this once: only its digest is stored."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--vehicle", metavar="ID", help="the vehicle's id on the wire")
        which.add_argument("--count", type=int, help="how many vehicles get a token; those missing are made")
        parser.add_argument("--create", action="store_true", help="make the vehicle, and the fleet, where missing")
        parser.add_argument("--fleet", metavar="SLUG", default=DEFAULT_FLEET, help="(default: %(default)s)")
        parser.add_argument("--prefix", default="load-", help="start of the ids with --count (default: %(default)s)")
        parser.add_argument("--json", metavar="FILE", type=Path, help="write there, readable by its owner alone")

    def handle(self, **options: Any) -> None:
        try:
            tokens = self._one(options) if options["vehicle"] else self._many(options)
        except Refusal as refusal:
            raise CommandError(f"{refusal.message} {refusal.details or ''}".strip()) from refusal
        if options["json"]:
            private_file_write(options["json"], json.dumps(tokens))
            self.stdout.write(f"{len(tokens)} tokens in {options['json']}")
        elif options["vehicle"]:
            self.stdout.write(tokens[options["vehicle"]])
        else:
            self.stdout.write(json.dumps(tokens))

    def _one(self, options: dict[str, Any]) -> dict[str, str]:
        now = timezone.now()
        if options["create"]:
            fleet = _fleet(options["fleet"], create=True)
            vehicle = vehicle_enroll(vehicle_id=options["vehicle"], fleet=fleet, now=now)
        else:
            found = Vehicle.objects.filter(vehicle_id=options["vehicle"], deleted_at=None).first()
            if found is None:
                raise CommandError(f"There is no vehicle {options['vehicle']}; --create makes it.")
            vehicle = found
        device = device_add(vehicle=vehicle, device_id=DEFAULT_DEVICE_ID, now=now)
        return {vehicle.vehicle_id: device_token_issue(device=device, now=now)}

    def _many(self, options: dict[str, Any]) -> dict[str, str]:
        # Load vehicles are made by the thousand: asking for --create as well would only be a trap.
        fleet = _fleet(options["fleet"], create=options["create"] or options["fleet"] == DEFAULT_FLEET)
        return vehicle_tokens_issue(prefix=options["prefix"], count=options["count"], fleet=fleet, now=timezone.now())


def _fleet(slug: str, *, create: bool) -> Fleet:
    if create:
        return Fleet.objects.get_or_create(slug=slug, defaults={"name": slug})[0]
    fleet = Fleet.objects.filter(slug=slug).first()
    if fleet is None:
        raise CommandError(f"There is no fleet {slug}; --create makes it.")
    return fleet
