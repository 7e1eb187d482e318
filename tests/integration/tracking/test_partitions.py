"""Months made ahead and dropped, and no row that is ever refused for want of one."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from django.test import override_settings

from tests.integration.tracking.records import T0, record
from v2v.protocol.epoch import epoch_ms, moment
from v2v.tracking.models import Position, PositionConflict
from v2v.tracking.partitions import Month, months_made, partitions_make, positions_drop, positions_keep
from v2v.tracking.records import Conflict
from v2v.tracking.storage import positions_store
from v2v.vehicles.models import Vehicle

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def on_postgres() -> bool:
    return connection.vendor == "postgresql"


def lies_in(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return int(cursor.fetchone()[0])


def test_this_month_and_two_more_are_made_once(on_postgres: bool) -> None:
    made = partitions_make(now=NOW)
    expected = ["tracking_position_2026_11", "tracking_position_2026_12", "tracking_position_2027_01"]
    assert made == (expected if on_postgres else [])
    assert partitions_make(now=NOW) == []
    assert partitions_make(now=NOW, ahead=3) == (["tracking_position_2027_02"] if on_postgres else [])


def test_a_month_ends_where_the_next_begins_in_utc() -> None:
    in_tokyo = datetime.fromisoformat("2026-12-01T08:59:59+09:00")
    assert Month.of(in_tokyo).table == "tracking_position_2026_11"
    assert Month.of(in_tokyo + timedelta(seconds=1)).table == "tracking_position_2026_12"


def test_a_missing_month_loses_no_row_and_takes_its_rows_when_it_is_made(truck: Vehicle, on_postgres: bool) -> None:
    ends = [epoch_ms(datetime(2025, 3, 1, tzinfo=UTC)), epoch_ms(datetime(2025, 4, 1, tzinfo=UTC))]
    times = [ends[0] - 1, ends[0], ends[1] - 1, ends[1]]
    assert positions_store([record(truck.pk, ts) for ts in times]) == 4
    made = partitions_make(now=NOW, ahead=0)
    assert sorted(Position.objects.values_list("recorded_at", flat=True)) == [moment(ts) for ts in times]
    if on_postgres:
        assert made == [f"tracking_position_{month}" for month in ("2025_02", "2025_03", "2025_04", "2026_11")]
        assert [lies_in(table) for table in ("tracking_position_default", *made)] == [0, 1, 2, 1, 0]
    assert positions_store([record(truck.pk, ts) for ts in times]) == 0  # the keys hold in the months, too


def test_retention_drops_what_is_older_and_keeps_what_is_younger(truck: Vehicle) -> None:
    days = (0, 10, 399, 401 + 31, 800)
    conflict = Conflict("late", T0, 1.0, 2.0)
    positions_store([record(truck.pk, T0 - day * DAY_MS, fleet=truck.fleet_id, conflict=conflict) for day in days])
    rounds = 0
    while positions_keep(now=NOW):
        rounds += 1
        assert rounds < 10
    assert list(Position.objects.order_by("-recorded_at").values_list("recorded_at", flat=True)) == [
        moment(T0 - day * DAY_MS) for day in days[:3]
    ]
    assert PositionConflict.objects.count() == 3


@override_settings(POSITIONS_KEEP_DAYS=0)
def test_a_retention_of_0_keeps_everything(truck: Vehicle) -> None:
    positions_store([record(truck.pk, T0 - 5_000 * DAY_MS)])
    while positions_keep(now=NOW):
        pass
    assert Position.objects.count() == 1


def test_old_rows_go_in_bounded_steps(truck: Vehicle, on_postgres: bool) -> None:
    positions_store([record(truck.pk, T0 - 500 * DAY_MS + n) for n in range(4_500)])
    if on_postgres:
        partitions_make(now=NOW)
    steps = []
    while step := positions_drop(older_than=NOW - timedelta(days=400)):
        steps.append(step)
    assert steps == ([1] if on_postgres else [2_000, 2_000, 500])


def test_the_command_says_what_it_did(capsys: pytest.CaptureFixture[str], truck: Vehicle, on_postgres: bool) -> None:
    positions_store([record(truck.pk, epoch_ms(datetime(2020, 5, 5, tzinfo=UTC)))])
    call_command("partitions", "--ahead", "1", "--drop-older-than", "400")
    said = capsys.readouterr().out
    assert "Let go of 1 months and rows" in said
    if on_postgres:
        assert "Made: tracking_position_2020_05," in said
        assert "tracking_position_2020_05" not in {month.table for month in months_made()}
    with pytest.raises(CommandError, match="--ahead takes"):
        call_command("partitions", "--ahead", "100")
