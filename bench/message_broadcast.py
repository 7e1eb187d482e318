"""How long storing a broadcast takes, and the word of all recipients that it came: `python -m bench.message_broadcast`.

Uses the database of TEST_DATABASE_URL, or SQLite in a temporary directory; both are made anew.
"""

import os
import statistics
import time

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings.test")

# ruff: noqa: E402, T201 - Django is set up between the imports, and a benchmark prints
import django

django.setup()

from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from v2v.fleets.models import Fleet
from v2v.fleets.policy import Actor, actor_of_user
from v2v.messaging.services import Delivery, message_send, messages_delivered
from v2v.vehicles.models import Vehicle
from v2v.vehicles.services import vehicle_tokens_issue

_TIMES = 20


def measure(vehicles: int, actor: Actor) -> None:
    """Print the median and the slowest of 20 broadcasts to so many vehicles."""
    fleet = Fleet.objects.create(slug=f"bench-{vehicles}", name="Bench")
    vehicle_tokens_issue(prefix=f"bench-{vehicles}-", count=vehicles, fleet=fleet, now=timezone.now())
    took = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        sent = message_send(actor=actor, content="Ice", broadcast=True, fleet=fleet.slug, via="api", now=timezone.now())
        took.append((time.perf_counter() - began) * 1000)
    words = [
        Delivery(str(sent.message.message_id), 1, pk)
        for pk in Vehicle.objects.filter(fleet=fleet).values_list("pk", flat=True)
    ]
    began = time.perf_counter()
    for start in range(0, vehicles, 1_000):
        messages_delivered(words[start : start + 1_000])
    delivered = (time.perf_counter() - began) * 1000
    began = time.perf_counter()
    for _ in range(100):
        message_send(actor=actor, content="Hi", recipient_id=f"bench-{vehicles}-00001", via="api", now=timezone.now())
    direct = (time.perf_counter() - began) * 10
    print(
        f"{connection.vendor}: {vehicles} vehicles: broadcast stored in {statistics.median(took):.1f} ms "
        f"(slowest {max(took):.1f}), word of all in {delivered:.0f} ms; one direct message {direct:.2f} ms"
    )


def main() -> None:
    """Make a database, measure, remove it."""
    name = connection.creation.create_test_db(verbosity=0)
    actor = actor_of_user(User.objects.create_superuser("bench"))
    try:
        for vehicles in (1_000, 5_000):
            measure(vehicles, actor)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


if __name__ == "__main__":
    main()
