import asyncio
import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from v2v.client.simulation.fleet import SimulatedFleet
from v2v.client.simulation.run import run_fleet

try:
    from uvloop import new_event_loop
except ImportError:  # there is none for Windows
    from asyncio import new_event_loop


class Command(BaseCommand):
    help = "Drives a demo fleet round Dubai, against any server."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--vehicles", type=int, default=500, help="how many (default: 500)")
        parser.add_argument("--hz", type=float, default=1.0, help="reports a second for each (default: 1)")
        parser.add_argument("--url", default="ws://127.0.0.1:8000/ws/vehicle/", help="the server's vehicle socket")
        parser.add_argument("--token-file", type=Path, help='JSON {"vehicleId": "token"}; without it tokens are issued')
        parser.add_argument("--prefix", default="demo-", help="how the vehicles' ids begin (default: demo-)")
        parser.add_argument("--seconds", type=float, help="stop after so many (default: when told to)")
        parser.add_argument("--seed", type=int, default=0, help="another number: other trucks, other ways")

    def handle(self, **options: Any) -> None:
        if options["vehicles"] < 1 or not 0 < options["hz"] <= 5:
            raise CommandError("--vehicles must be 1 or more, --hz over 0 and at most 5")
        tokens = _tokens(options["token_file"], options["prefix"], options["vehicles"])
        fleet = SimulatedFleet(options["url"], tokens, hz=options["hz"], seed=options["seed"])
        self.stdout.write(f"{len(fleet)} vehicles set off for {options['url']}")
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(run_fleet(fleet, seconds=options["seconds"], say=self.stdout.write))
        self.stdout.write("All connections are closed.")


def _tokens(file: Path | None, prefix: str, count: int) -> dict[str, str]:
    """The first `count` vehicles of the file whose ids begin with the prefix."""
    if file is None:
        raise CommandError("Give a --token-file.")
    try:
        tokens = json.loads(file.read_text())
    except (OSError, ValueError) as error:
        raise CommandError(f"{file}: {error}") from error
    chosen = [vehicle_id for vehicle_id in tokens if vehicle_id.startswith(prefix)][:count]
    if len(chosen) < count:
        raise CommandError(f"{file} holds {len(chosen)} vehicles whose ids begin with {prefix}, not {count}.")
    return {vehicle_id: tokens[vehicle_id] for vehicle_id in chosen}
