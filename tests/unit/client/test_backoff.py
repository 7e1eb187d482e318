from itertools import islice

from hypothesis import given
from hypothesis import strategies as st

from v2v.client.backoff import LONGEST_S, Backoff


def test_the_ceiling_doubles_up_to_half_a_minute() -> None:
    backoff = Backoff(draw=lambda: 1.0)
    assert [backoff.next_s() for _ in range(8)] == [1, 2, 4, 8, 16, 30, 30, 30]


@given(st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=200))
def test_a_wait_is_never_negative_and_never_over_the_longest(draws: list[float]) -> None:
    waits = Backoff(draw=iter(draws).__next__)
    assert all(0 <= waits.next_s() <= LONGEST_S for _ in draws)


def test_vehicles_that_were_lost_together_come_back_apart() -> None:
    firsts = {Backoff().next_s() for _ in range(50)}
    assert len(firsts) == 50


def test_after_a_reset_the_waits_are_short_again() -> None:
    backoff = Backoff(draw=lambda: 1.0)
    list(islice(iter(backoff.next_s, None), 6))
    backoff.reset()
    assert backoff.next_s() == 1
