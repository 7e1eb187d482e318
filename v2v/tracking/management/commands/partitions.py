"""`manage.py partitions`: the months of the positions, made ahead and dropped."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection
from django.utils import timezone

from v2v.tracking.partitions import AHEAD, months_made, partitions_make, positions_drop


class Command(BaseCommand):
    help = "Make the months of positions ahead, and drop old ones. The scheduler does both; here by hand."

    def add_arguments(self, parser: Any) -> None:
        parser.add_argument("--ahead", type=int, default=AHEAD, help="months to make beside this one, 0 to 24")
        parser.add_argument("--drop-older-than", type=int, metavar="DAYS", help="let go of what is older, 1 or more")

    def handle(self, *args: Any, **options: Any) -> None:
        now, ahead, days = timezone.now(), options["ahead"], options["drop_older_than"]
        if not 0 <= ahead <= 24 or (days is not None and days < 1):
            raise CommandError("--ahead takes 0 to 24 months, --drop-older-than 1 day or more.")
        made = partitions_make(now=now, ahead=ahead)
        dropped = 0
        while days is not None and (step := positions_drop(older_than=now - timedelta(days=days))):
            dropped += step
        if connection.vendor == "postgresql":
            print(f"Made: {', '.join(made) or 'none'}.")
            print(f"There are: {', '.join(month.table for month in months_made())}.")
        else:
            print("SQLite has no partitions: the positions lie in one table.")
        if days is not None:
            print(f"Let go of {dropped} months and rows that were older than {days} days.")
