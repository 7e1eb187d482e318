"""From the queue to the database: once each, and no bad one holds up the others."""

import time
from collections import Counter

import h3.api.basic_int as h3
import msgspec
import pytest
import structlog
from django.db import OperationalError, connection

from tests.integration.tracking.records import T0, record
from v2v.protocol.epoch import moment
from v2v.tracking import writer as writing
from v2v.tracking.models import DeadLetter, Position, PositionConflict
from v2v.tracking.queue import PositionQueue, minute_now
from v2v.tracking.records import Conflict, PositionRecord, chunks_of, records_in
from v2v.tracking.storage import positions_store
from v2v.tracking.writer import Writer
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def writer(queue: PositionQueue) -> Writer:
    queue.take(limit=1, wait_s=0.0)
    return Writer(queue, retry_s=0.0)


def poison(truck: Vehicle, ts: int) -> PositionRecord:
    """A row that no database can take: no cell holds a latitude that is no number."""
    good = record(truck.pk, ts, fleet=truck.fleet_id)
    return msgspec.structs.replace(good, lat=float("nan"))


def put(queue: PositionQueue, *records: PositionRecord) -> None:
    queue.put(chunks_of(list(records)))


def drain(writer: Writer, queue: PositionQueue) -> None:
    for _ in range(20):
        writer.step(wait_s=0.0)
        if not queue.depth():
            return
    raise AssertionError(f"{queue.depth()} positions still wait")


def test_a_position_is_stored_with_all_that_it_said(truck: Vehicle, queue: PositionQueue, writer: Writer) -> None:
    said = {
        "speed": 12.5, "heading": 90.0, "accuracy": 4.0, "altitude": 3.0, "battery": 80.0, "signal": 60.0,
        "ignition": True, "alarm": "crash", "device_id": "phone", "correlation_id": "c1",
    }  # fmt: skip
    put(queue, record(truck.pk, T0 + 1, fleet=truck.fleet_id, received_ts=T0 + 9, **said))
    drain(writer, queue)
    position = Position.objects.get()
    assert {name: getattr(position, name) for name in said} == said
    assert (position.vehicle, position.fleet, position.source) == (truck, truck.fleet, "http")
    assert (position.recorded_at, position.received_at) == (moment(T0 + 1), moment(T0 + 9))
    assert h3.cell_to_parent(position.cell, 5) == h3.latlng_to_cell(25.0, 55.0, 5)


def test_the_same_moment_again_changes_nothing(truck: Vehicle, queue: PositionQueue, writer: Writer) -> None:
    put(queue, record(truck.pk, T0, speed=1.0), record(truck.pk, T0, speed=2.0))
    put(queue, record(truck.pk, T0, speed=3.0), record(truck.pk, T0 + 1))
    drain(writer, queue)
    assert [position.speed for position in Position.objects.order_by("recorded_at")] == [1.0, None]


def test_conflicts_are_listed_once_however_often_their_batch_comes(truck: Vehicle) -> None:
    conflict = Conflict("late", T0 + 500, 24.0, 54.0)
    records = [record(truck.pk, T0, fleet=truck.fleet_id, conflict=conflict), record(truck.pk, T0 + 500)]
    assert [positions_store(records), positions_store(records)] == [2, 0]
    listed = PositionConflict.objects.get()
    assert (listed.kind, listed.recorded_at, listed.stood_at) == ("late", moment(T0), moment(T0 + 500))


def test_of_many_entries_no_batch_is_over_500_rows(
    truck: Vehicle, queue: PositionQueue, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []

    def store(records: list[PositionRecord]) -> int:
        sizes.append(len(records))
        return positions_store(records)

    monkeypatch.setattr(writing, "positions_store", store)
    for start in range(0, 1_300, 130):
        put(queue, *(record(truck.pk, T0 + start + n) for n in range(130)))
    drain(writer, queue)
    assert sizes == [390, 390, 390, 130]
    assert Position.objects.count() == 1_300


def test_one_bad_position_among_many_is_laid_aside_and_all_others_are_stored(
    truck: Vehicle, queue: PositionQueue, writer: Writer
) -> None:
    good = [record(truck.pk, T0 + n) for n in range(40)]
    put(queue, *good[:20], poison(truck, T0 + 99), *good[20:])
    writer.step(wait_s=0.0)
    assert Position.objects.count() == 40  # the first time already
    assert queue.depth() == 41  # until it is known what becomes of the bad one
    drain(writer, queue)
    letter = DeadLetter.objects.get()
    assert letter.tries == 5
    assert letter.fleet == truck.fleet
    assert records_in(bytes(letter.payload))[0].ts == T0 + 99
    figures = queue.figures(minute=minute_now())
    assert sum(figures.dead) == 1
    assert sum(figures.retried) == 4


def test_bytes_that_nobody_can_read_die_at_once_and_hold_up_nothing(
    truck: Vehicle, queue: PositionQueue, writer: Writer
) -> None:
    queue.put([(b"\xc1", 1)])
    put(queue, record(truck.pk, T0))
    drain(writer, queue)
    assert Position.objects.count() == 1
    assert DeadLetter.objects.get().reason.startswith("not readable")


def test_while_the_database_is_away_everything_waits_and_nothing_dies(
    truck: Vehicle, queue: PositionQueue, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(records: list[PositionRecord]) -> int:
        raise OperationalError("the server closed the connection")

    put(queue, record(truck.pk, T0), record(truck.pk, T0 + 1))
    with monkeypatch.context() as patch:
        patch.setattr(writing, "positions_store", away)
        for _ in range(8):
            with pytest.raises(OperationalError):
                writer.step(wait_s=0.0)
    assert queue.depth() == 2
    drain(writer, queue)
    assert Position.objects.count() == 2
    assert not DeadLetter.objects.exists()


def test_a_stored_batch_is_one_line_with_the_ids_of_its_requests(
    truck: Vehicle, queue: PositionQueue, writer: Writer
) -> None:
    put(queue, record(truck.pk, T0, correlation_id="one"), record(truck.pk, T0 + 1, correlation_id="two"))
    with structlog.testing.capture_logs() as lines:
        drain(writer, queue)
    stored = [line for line in lines if line["event"] == "positions stored"]
    assert [(line["rows"], line["new"], line["correlation_ids"]) for line in stored] == [(2, 2, ["one", "two"])]


def test_a_stop_that_drains_leaves_nothing_in_the_queue(truck: Vehicle, queue: PositionQueue) -> None:
    queue.take(limit=1, wait_s=0.0)
    for start in range(0, 3_000, 100):
        put(queue, *(record(truck.pk, T0 + start + n) for n in range(100)))
    writer = Writer(queue)
    writer.start()
    writer.stop(drain=True)
    assert queue.depth() == 0
    assert Position.objects.count() == 3_000
    assert Counter(Position.objects.values_list("vehicle", flat=True)) == {truck.pk: 3_000}
    connection.close()


def test_a_stop_stores_what_is_in_hand_and_leaves_the_rest_to_others(truck: Vehicle, queue: PositionQueue) -> None:
    queue.take(limit=1, wait_s=0.0)
    for start in range(0, 10_000, 500):
        put(queue, *(record(truck.pk, T0 + start + n) for n in range(500)))
    writer = Writer(queue)
    writer.start()
    deadline = time.monotonic() + 10
    while not Position.objects.exists():
        assert time.monotonic() < deadline, "nothing is stored"
        time.sleep(0.01)
    writer.stop()
    stored = Position.objects.count()
    left = []
    while taken := queue.take(limit=100, wait_s=0.0):
        left += taken
    assert stored + sum(entry.rows for entry in left) == 10_000
    assert stored == 10_000 - queue.depth()
