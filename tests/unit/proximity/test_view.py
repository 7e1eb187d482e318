"""Whether a dispatcher has a vehicle on the map."""

import pytest

from tests.unit.world import World
from v2v.proximity.ticker import is_in_view
from v2v.tracking.live import Fix

DUBAI = (54.0, 24.0, 56.0, 26.0)
ACROSS_THE_DATE_LINE = (170.0, -20.0, -170.0, 20.0)
WORLD = (-180.0, -90.0, 180.0, 90.0)


@pytest.mark.parametrize(
    ("view", "lat", "lng", "is_seen"),
    [
        (None, 0.0, 0.0, True),
        (DUBAI, 25.0, 55.0, True),
        (DUBAI, 24.0, 54.0, True),  # on the edge
        (DUBAI, 26.0, 56.0, True),
        (DUBAI, 26.1, 55.0, False),
        (DUBAI, 23.9, 55.0, False),
        (DUBAI, 25.0, 53.9, False),
        (DUBAI, 25.0, 56.1, False),
        (ACROSS_THE_DATE_LINE, 0.0, 179.9, True),
        (ACROSS_THE_DATE_LINE, 0.0, -179.9, True),
        (ACROSS_THE_DATE_LINE, 0.0, 180.0, True),
        (ACROSS_THE_DATE_LINE, 0.0, 170.0, True),
        (ACROSS_THE_DATE_LINE, 0.0, 169.9, False),
        (ACROSS_THE_DATE_LINE, 0.0, 0.0, False),
        (ACROSS_THE_DATE_LINE, 0.0, -169.9, False),
        (ACROSS_THE_DATE_LINE, 21.0, 179.0, False),
        (WORLD, 90.0, -180.0, True),
        (WORLD, -90.0, 180.0, True),
    ],
)
def test_the_view_is_a_box_that_may_cross_the_date_line(
    view: tuple[float, float, float, float] | None, lat: float, lng: float, is_seen: bool
) -> None:
    world = World()
    world.dispatcher(1, view=view)
    [session] = world.engine.hub.dispatchers
    fix = Fix(lat=lat, lng=lng, ts=1, received_at=0.0)
    assert is_in_view(world.track("a", fleet=1), fix, session) is is_seen
    assert not is_in_view(world.track("b", fleet=2), fix, session)
    assert not is_in_view(world.track("a", fleet=1), None, session)
