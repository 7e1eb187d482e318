"""Rows that are stored a little later."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from v2v.realtime.batch import BatchWriter


class Store:
    """Keeps what is written; can be away, and can be slow."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.is_away = False
        self.may_write = threading.Event()
        self.may_write.set()
        self.entered = threading.Event()

    def __call__(self, rows: list[int]) -> None:
        self.entered.set()
        self.may_write.wait(5)
        if self.is_away:
            raise ConnectionError("away")
        self.batches.append(rows)

    @property
    def rows(self) -> list[int]:
        return [row for batch in self.batches for row in batch]


@pytest.fixture
def store() -> Iterator[Store]:
    store = Store()
    yield store
    store.may_write.set()


def writer(store: Store, *, limit: int = 100, batch: int = 10, rows: int = 0) -> BatchWriter[int]:
    made: BatchWriter[int] = BatchWriter("test", store, limit=limit, batch=batch)
    for row in range(rows):
        made.add(row)
    return made


async def test_rows_are_stored_in_order_and_in_batches(store: Store) -> None:
    rows = writer(store, rows=25)
    await rows.flush()
    assert store.rows == list(range(25))
    assert [len(batch) for batch in store.batches] == [10, 10, 5]
    assert len(rows) == 0


async def test_a_batch_that_fails_is_kept_and_stored_once_the_store_is_back(store: Store) -> None:
    rows = writer(store, rows=25)
    store.is_away = True
    await rows.flush()
    await rows.flush()
    rows.add(25)
    assert (len(rows), store.rows) == (26, [])
    store.is_away = False
    await rows.flush()
    assert store.rows == list(range(26))
    assert rows.dropped == 0


async def test_past_the_bound_the_oldest_go_first_and_are_counted(store: Store) -> None:
    rows = writer(store, limit=20, rows=30)
    assert (len(rows), rows.dropped) == (20, 10)
    store.is_away = True
    await rows.flush()
    store.is_away = False
    await rows.flush()
    assert store.rows == list(range(10, 30))


async def test_a_failed_batch_makes_no_more_room_than_there_is(store: Store) -> None:
    rows = writer(store, limit=20, rows=20)
    store.may_write.clear()
    store.is_away = True
    flushing = asyncio.create_task(rows.flush())
    await asyncio.to_thread(store.entered.wait, 5)
    for row in range(20, 35):
        rows.add(row)
    store.may_write.set()
    await flushing
    assert (len(rows), rows.dropped) == (20, 15)
    store.is_away = False
    await rows.flush()
    assert store.rows == list(range(15, 35))


async def test_two_flushes_at_once_store_every_row_once(store: Store) -> None:
    rows = writer(store, rows=25)
    await asyncio.gather(*(rows.flush() for _ in range(5)))
    assert store.rows == list(range(25))


async def test_a_waiter_that_is_canceled_loses_no_row_of_a_batch_that_fails(store: Store) -> None:
    rows = writer(store, rows=5)
    store.may_write.clear()
    store.is_away = True
    flushing = asyncio.create_task(rows.flush())
    await asyncio.to_thread(store.entered.wait, 5)
    flushing.cancel()
    assert len(rows) == 5
    store.may_write.set()
    await rows.flush()
    store.is_away = False
    await rows.close()
    assert store.rows == list(range(5))


async def test_closing_stores_what_is_left_also_when_a_flush_is_under_way(store: Store) -> None:
    rows = writer(store, rows=25)
    store.may_write.clear()
    flushing = asyncio.create_task(rows.flush())
    await asyncio.to_thread(store.entered.wait, 5)
    closing = asyncio.create_task(rows.close())
    await asyncio.sleep(0.01)
    store.may_write.set()
    await asyncio.gather(flushing, closing)
    assert store.rows == list(range(25))
