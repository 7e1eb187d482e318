"""The queue of positions, in memory and in Redis: one behavior."""

import time
from collections.abc import Callable

import pytest

from v2v.tracking.queue import Entry, PositionQueue, QueueFull, QueueUnavailable
from v2v.tracking.redis_queue import RedisQueue

QueueMaker = Callable[..., PositionQueue]

A, B, C = (b"a", 3), (b"b", 5), (b"\x00\xff", 1)


def take(queue: PositionQueue, limit: int = 10) -> list[Entry]:
    """What there is, from the first moment on: the first look of all makes the group of readers."""
    return queue.take(limit=limit, wait_s=0.0) or queue.take(limit=limit, wait_s=0.0)


def test_what_was_put_comes_in_order_and_with_its_count(queue: PositionQueue) -> None:
    queue.put([A, B])
    queue.put([C])
    assert [(entry.payload, entry.rows) for entry in take(queue, 2)] == [A, B]
    assert [(entry.payload, entry.rows) for entry in take(queue)] == [C]
    assert take(queue) == []


def test_what_somebody_has_taken_counts_until_it_is_done_and_only_once(queue: PositionQueue) -> None:
    queue.put([A, B])
    entries = take(queue)
    assert queue.depth() == 8
    queue.done(entries[:1])
    queue.done(entries[:1])
    assert queue.depth() == 5
    queue.done(entries)
    assert queue.depth() == 0


def test_a_full_queue_takes_none_and_loses_none(make_queue: QueueMaker) -> None:
    queue = make_queue(limit=8)
    queue.put([A, B])
    with pytest.raises(QueueFull):
        queue.put([C])
    entries = take(queue)
    assert [entry.payload for entry in entries] == [b"a", b"b"]
    queue.done(entries[:1])
    queue.put([C])
    assert queue.depth() == 6


def test_take_waits_for_the_first_entry_only_so_long(queue: PositionQueue) -> None:
    take(queue)
    began = time.monotonic()
    assert queue.take(limit=1, wait_s=0.1) == []
    assert time.monotonic() - began >= 0.09


def test_figures_add_up_by_the_minute_newest_first(queue: PositionQueue) -> None:
    queue.put([A])
    queue.tally(minute=100, written=5, retried=1)
    queue.tally(minute=101, written=7, dead=2)
    queue.tally(minute=101, written=1)
    figures = queue.figures(minute=101)
    assert (figures.depth, figures.limit) == (3, 10_000)
    assert (figures.written[:3], figures.retried[:2], figures.dead[:2]) == ([8, 5, 0], [0, 1], [2, 0])
    assert len(figures.written) == 60


@pytest.fixture
def processes(redis_url: str, redis_prefix: str) -> list[RedisQueue]:
    """The same stream as three processes see it."""
    return [RedisQueue(redis_url, limit=100, claim_after_s=0.2, prefix=redis_prefix) for _ in range(3)]


def until_claimed(queue: RedisQueue) -> list[Entry]:
    deadline = time.monotonic() + 10
    while not (entries := queue.take(limit=10, wait_s=0.05)):
        assert time.monotonic() < deadline, "nothing was claimed"
    return entries


def test_two_readers_never_have_the_same_entry(processes: list[RedisQueue]) -> None:
    server, one, other = processes
    server.put([A, B])
    first, second = take(one, 1), take(other, 1)
    assert [entry.payload for entry in first + second] == [b"a", b"b"]


def test_what_a_dead_reader_had_comes_to_another_and_is_done_once(processes: list[RedisQueue]) -> None:
    server, dead, heir = processes
    server.put([A, B])
    left = take(dead)
    assert until_claimed(heir) == left
    heir.done(left)
    dead.done(left)  # it was only slow
    assert server.depth() == 0
    assert take(heir) == []


def test_who_says_that_it_still_works_keeps_its_entries(processes: list[RedisQueue]) -> None:
    server, slow, other = processes
    server.put([A])
    entries = take(slow)
    end = time.monotonic() + 1.0  # five times what makes a reader count as dead
    while time.monotonic() < end:
        slow.renew(entries)
        assert other.take(limit=10, wait_s=0.02) == []
    slow.done(entries)
    assert server.depth() == 0


def test_a_queue_whose_redis_is_away_says_so(redis_prefix: str) -> None:
    queue = RedisQueue("redis://127.0.0.1:1/0", limit=10, claim_after_s=1, prefix=redis_prefix)
    for call in (
        lambda: queue.put([A]),
        lambda: queue.take(limit=1, wait_s=0),
        lambda: queue.done([Entry("1-1", b"", 1)]),
        queue.depth,
        lambda: queue.tally(minute=1, written=1),
        lambda: queue.figures(minute=1),
    ):
        with pytest.raises(QueueUnavailable):
            call()


def test_a_stream_that_was_flushed_away_begins_anew(processes: list[RedisQueue]) -> None:
    server, reader, _ = processes
    server.put([A])
    take(reader)
    reader._client.delete(reader._stream, reader._counter)
    server.put([B])
    assert [entry.payload for entry in take(reader)] == [b"b"]
    assert server.depth() == 5
