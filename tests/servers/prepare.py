"""Fill a server's database for the tests, and print the vehicles' tokens as JSON. Run in the server's environment."""

import json
import os
import sys

PASSWORD = "correct horse battery staple"
VEHICLES = {"alpha": 180, "beta": 20}


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings.base"
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.utils import timezone

    from v2v.fleets.models import Fleet, Membership, Role
    from v2v.vehicles.services import vehicle_tokens_issue

    call_command("migrate", verbosity=0)
    tokens = {}
    for slug, count in VEHICLES.items():
        fleet = Fleet.objects.create(slug=slug, name=slug.capitalize(), time_zone="Asia/Dubai")
        tokens[slug] = vehicle_tokens_issue(prefix=f"{slug}-", count=count, fleet=fleet, now=timezone.now())
        for role in Role.values:
            user = User.objects.create_user(f"{slug}_{role}", password=PASSWORD)
            Membership.objects.create(user=user, fleet=fleet, role=role)
    User.objects.create_superuser("admin", password=PASSWORD)
    json.dump(tokens, sys.stdout)


if __name__ == "__main__":
    main()
