"""Which modem a bridge serves, and for whom."""

from dataclasses import dataclass
from typing import cast

from django.conf import settings

from radio.link.transport import LinkKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """Which modem, and for whom."""

    name: str
    port: str
    link: LinkKind = "frame"
    baud: int = 115_200
    address: int = 1
    air_bits_per_s: int = 9_600
    fleet: str = ""  # whose the nodes without a vehicle are


def setup_of_settings() -> Setup:
    """As the environment says."""
    return Setup(
        name=settings.RADIO_NAME,
        port=settings.RADIO_PORT,
        link=cast("LinkKind", settings.RADIO_LINK),
        baud=settings.RADIO_BAUD,
        address=settings.RADIO_ADDRESS,
        air_bits_per_s=settings.RADIO_AIR_BPS,
        fleet=settings.RADIO_FLEET,
    )
