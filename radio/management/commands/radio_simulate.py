"""`manage.py radio_simulate`: a modem at a pseudo-terminal, with vehicles on its air."""

import signal
import threading
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from radio.link.modem import PtyModem
from radio.simulation import simulate


class Command(BaseCommand):
    help = "Put vehicles on a simulated air, with a modem at a pseudo-terminal for a bridge to open."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=Path, default=settings.VAR_DIR / "radio", help="where the port is made")
        parser.add_argument("--vehicles", type=int, default=5, help="how many (default: 5)")
        parser.add_argument("--prefix", default="rover-", help="how the vehicles' ids begin (default: rover-)")
        parser.add_argument("--seed", type=int, default=0, help="another number: other vehicles, other ways")

    def handle(self, **options: Any) -> None:
        port: Path = options["port"]
        if not 1 <= options["vehicles"] <= 200:
            raise CommandError("--vehicles must be 1 to 200: more do not fit on one frequency")
        if port.is_symlink():
            port.unlink()  # of one that could not clear up behind itself
        elif port.exists():
            raise CommandError(f"{port} is there already, and is no port of a simulation.")
        names = [f"{options['prefix']}{n:02d}" for n in range(1, options["vehicles"] + 1)]
        modem = PtyModem(port)
        air = simulate(modem, names, seed=options["seed"])
        self.stdout.write(f"{len(names)} vehicles are on the air; the modem is at {port}")
        self.stdout.flush()
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        stop.wait()
        air.close()
        modem.unplug()
