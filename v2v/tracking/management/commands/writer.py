"""`manage.py writer`: positions from Redis into the database, beside the servers."""

import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from prometheus_client import start_http_server

from v2v.tracking.backends import queue_get
from v2v.tracking.writer import Writer


class Command(BaseCommand):
    help = "Store the positions that wait in Redis; any number of them may run, and any may be killed."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--metrics-port", type=int, help="serve Prometheus's metrics on this port of 127.0.0.1")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError("The writer needs a REDIS_URL: without it each server stores its own positions.")
        if options["metrics_port"]:
            start_http_server(options["metrics_port"], addr="127.0.0.1")
        writer = Writer(queue_get())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: writer.stop())
        writer.run()
