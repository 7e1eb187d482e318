"""`manage.py serve`: the production server."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from v2v.console.site import site_config
from v2v.realtime.server import serve
from v2v.realtime.workers import Workers, shared_socket


class Command(BaseCommand):
    help = "Serve pages, API and sockets: uvicorn with the settings that the measurements chose."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST)
        parser.add_argument("--port", type=int, default=settings.PORT)
        parser.add_argument("--workers", type=int, default=settings.WORKERS, help="processes on the port; need Redis")
        parser.add_argument("--parent-fd", type=int, help="a socket to the process that started this one")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port, workers = options["host"], options["port"], options["workers"]
        if workers > 1 and not settings.REDIS_URL:
            raise CommandError("Several processes find each other through Redis: set REDIS_URL, or WORKERS to 1.")
        if workers < 2:
            serve(site_config(host=host, port=port), parent_fd=options["parent_fd"])
            return
        command = [sys.executable, sys.argv[0], "serve", "--host", host, "--port", str(port), "--workers", "1"]
        with shared_socket(host, port):  # a port that is taken is found now, and is ours as long as we live
            Workers(command, workers, metrics=settings.VAR_DIR / "metrics").run()
