"""The pages of the dispatcher."""

from django.apps import AppConfig
from django.conf import settings

from v2v.realtime.notices import RightLost
from v2v.realtime.redis import RedisAddress
from v2v.realtime.relay import reach, tell
from v2v.vehicles import notices


class ConsoleConfig(AppConfig):
    """The dispatch console."""

    name = "v2v.console"
    label = "console"

    def ready(self) -> None:
        """Have what services tell reach the servers, whichever process they run in."""
        notices.listen(right_lost_tell)
        if settings.REDIS_URL:
            reach(RedisAddress(settings.REDIS_URL, settings.REDIS_PREFIX))


def right_lost_tell(*, vehicle_pk: int | None, device_pk: int | None, reason: notices.Reason) -> None:
    """Have every server end the sessions of whoever lost a right."""
    tell(RightLost(vehicle_pk, device_pk, reason))
