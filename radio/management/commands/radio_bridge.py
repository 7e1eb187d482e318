"""`manage.py radio_bridge`: a modem as a process of its own."""

import signal
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from radio.bridge import Bridge
from radio.setup import Setup
from v2v.fleets.models import Fleet

_ALONE = """REDIS_URL is not set: what comes by radio is stored at once, but a server shows it only when a page is
loaded or a vehicle connects again. For live pages give server and bridge one Redis, or set RADIO_PORT in the server."""


class Command(BaseCommand):
    help = "Serve a radio modem on a serial port: what it hears is stored and told, what waits for vehicles goes out."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", default=settings.RADIO_PORT, help="any pyserial URL, such as /dev/ttyUSB0")
        parser.add_argument("--baud", type=int, default=settings.RADIO_BAUD)
        parser.add_argument("--link", choices=["frame", "meshtastic"], default=settings.RADIO_LINK)
        parser.add_argument("--name", default=settings.RADIO_NAME, help="of the bridge: each modem's is another one")
        parser.add_argument("--address", type=int, default=settings.RADIO_ADDRESS, help="its own on air")
        parser.add_argument("--air-bps", type=int, default=settings.RADIO_AIR_BPS, help="what the modem can send")
        parser.add_argument("--fleet", default=settings.RADIO_FLEET, help="whose radios are heard here (slug)")

    def handle(self, **options: Any) -> None:
        if not options["port"]:
            raise CommandError("Name the modem's serial port: --port /dev/ttyUSB0, or RADIO_PORT in the environment.")
        if options["fleet"] and not Fleet.objects.filter(slug=options["fleet"]).exists():
            raise CommandError(f"There is no fleet {options['fleet']!r}.")
        if not settings.REDIS_URL:
            self.stderr.write(_ALONE)
        bridge = Bridge(
            Setup(
                name=options["name"],
                port=options["port"],
                link=options["link"],
                baud=options["baud"],
                address=options["address"],
                air_bits_per_s=options["air_bps"],
                fleet=options["fleet"],
            )
        )
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: bridge.end_soon())
        bridge.run()
        if bridge.problem:
            raise CommandError(bridge.problem)
        if bridge.replaced:
            raise CommandError(f"Another process has taken the bridge {options['name']}.")
