"""`manage.py scheduler`: periodic work beside the servers."""

import signal
from typing import Any

from django.core.management.base import BaseCommand

from config.schedule import Scheduler


class Command(BaseCommand):
    help = "Do the periodic work of the whole system; any number of them may run."

    def handle(self, *args: Any, **options: Any) -> None:
        scheduler = Scheduler()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: scheduler.stop())
        scheduler.run()
