"""`manage.py demo`: the whole system with a fleet that drives, for a first look."""

import logging
import os
import signal
import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone

from radio.demo import demo_radio
from v2v.console.demo_fleet import demo_alerts_end, demo_fleet
from v2v.console.demo_history import demo_history_make, demo_rules_make
from v2v.console.site import site_config
from v2v.realtime.server import serve
from v2v.vehicles.demo import demo_prepare


class Command(BaseCommand):
    help = "Make a demo fleet that drives round Dubai, serve it, and say where to look and how to log in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--vehicles", type=int, default=settings.DEMO_VEHICLES)
        parser.add_argument("--radios", type=int, default=settings.DEMO_RADIOS, help="vehicles on the radio only")
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        call_command("migrate", verbosity=0)
        demo = demo_prepare(vehicles=options["vehicles"], now=timezone.now())
        demo_alerts_end(now=timezone.now())
        demo_rules_make()
        demo_history_make(now=timezone.now())
        url = f"http://{options['host']}:{options['port']}"
        self.stdout.write(
            f"\n  Live map      {url}/\n  Admin         {url}/admin/\n  API           {url}/api/v1/docs\n"
        )
        for name, password in demo.logins.items():
            self.stdout.write(f"  Log in        {name} / {password}")
        radios = f", {options['radios']} more are on the radio" if options["radios"] else ""
        self.stdout.write(f"\n  {demo.vehicles} trucks set off within seconds{radios}. Stop with Ctrl-C.\n")
        self.stdout.flush()
        if "LOG_LEVEL" not in os.environ:  # 500 log-ins would push away what was just said
            logging.getLogger("v2v").setLevel(logging.WARNING)
        # uvicorn raises the signal once more behind itself: so that what runs beside it is ended, too.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit())
        with (
            demo_radio(vehicles=options["radios"], now=timezone.now()),
            demo_fleet(vehicles=demo.vehicles, port=options["port"], token_file=demo.tokens_file),
        ):
            serve(site_config(host=options["host"], port=options["port"]))
