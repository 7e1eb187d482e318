"""Run the demo fleet."""

import asyncio
from argparse import ArgumentParser
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from v2v.client.simulation.fleet import SimulatedFleet
from v2v.client.simulation.run import run_fleet
from v2v.fleets.models import Fleet
from v2v.protocol.decode import Refusal
from v2v.vehicles.services import vehicle_tokens_issue


class Command(BaseCommand):
    help = "Drives a demo fleet round Dubai, against any server."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--vehicles", type=int, default=500, help="how many (default: 500)")
        parser.add_argument("--hz", type=float, default=1.0, help="reports a second for each (default: 1)")
        parser.add_argument("--url", default="ws://127.0.0.1:8000/ws/vehicle/", help="the server's vehicle socket")
        parser.add_argument("--token-file", type=Path, help='JSON {"vehicleId": "token"}; without it tokens are issued')
        parser.add_argument("--prefix", default="demo-", help="how the vehicles' ids begin (default: demo-)")
        parser.add_argument(
            "--incidents", type=float, default=4.0, help="messages, alerts and calls a minute, of all (default: 4)"
        )
        parser.add_argument("--fleet", default="demo", help="the fleet of vehicles that are new (default: demo)")
        parser.add_argument("--seconds", type=float, help="stop after so many (default: when told to)")
        parser.add_argument("--seed", type=int, default=0, help="another number: other trucks, other ways")

    def handle(self, **options: Any) -> None:
        if options["vehicles"] < 1 or not 0 < options["hz"] <= 5 or options["incidents"] < 0:
            raise CommandError("--vehicles must be 1 or more, --hz over 0 and at most 5, --incidents 0 or more")
        if options["token_file"]:
            tokens = _tokens_of_file(options["token_file"], options["prefix"], options["vehicles"])
        else:
            tokens = _tokens_issued(options["fleet"], options["prefix"], options["vehicles"])
        fleet = SimulatedFleet(
            options["url"],
            tokens,
            hz=options["hz"],
            incidents_per_minute=options["incidents"],
            seed=options["seed"],
        )
        self.stdout.write(f"{len(fleet)} vehicles set off for {options['url']}")
        with asyncio.Runner(loop_factory=_fastest_loop()) as runner:
            runner.run(run_fleet(fleet, seconds=options["seconds"], say=self.stdout.write))


def _tokens_of_file(file: Path, prefix: str, count: int) -> dict[str, str]:
    """The first `count` vehicles of the file whose ids begin with the prefix."""
    try:
        tokens = msgspec.json.decode(file.read_bytes(), type=dict[str, str])
    except (OSError, msgspec.DecodeError) as error:
        raise CommandError(f"{file}: {error}") from error
    chosen = dict(islice(((name, token) for name, token in tokens.items() if name.startswith(prefix)), count))
    if len(chosen) < count:
        raise CommandError(f"{file} holds {len(chosen)} vehicles whose ids begin with {prefix}, not {count}.")
    return chosen


def _tokens_issued(fleet_slug: str, prefix: str, count: int) -> dict[str, str]:
    """New tokens, from this installation's own database; vehicles and fleet are made where they are missing."""
    fleet, _ = Fleet.objects.get_or_create(slug=fleet_slug, defaults={"name": fleet_slug.capitalize()})
    try:
        return vehicle_tokens_issue(prefix=prefix, count=count, fleet=fleet, now=timezone.now())
    except Refusal as refusal:
        raise CommandError(f"{refusal.message} {refusal.details or ''}".strip()) from refusal


def _fastest_loop() -> Callable[[], asyncio.AbstractEventLoop]:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.new_event_loop
    return uvloop.new_event_loop
