"""`manage.py serve`: the production server."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from v2v.console.site import site_config
from v2v.realtime.server import serve


class Command(BaseCommand):
    help = "Serve pages, API and sockets: uvicorn with the settings that the measurements chose."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.WORKERS > 1:
            raise CommandError("One process serves at the moment: set WORKERS to 1.")
        serve(site_config(host=options["host"], port=options["port"]))
