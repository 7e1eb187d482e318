"""`manage.py radio_bridge` beside a server, on PostgreSQL: whatever dies, what was acknowledged is stored, and once."""

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from random import Random

import psycopg
import pytest

from radio.link.payloads import Emergency, Hello, Text
from tests.faults.conftest import LONG, RecordFigure
from tests.integration.radio.stations import Station, Waves
from tests.servers import v2v
from tests.servers.run import Run
from tests.servers.v2v import ROOT, V2VServer

pytestmark = pytest.mark.timeout(300)  # with the start of processes on two busy cores

KILLS = 20 if os.environ.get(LONG) else 4
TEXTS = 12  # of each radio
MESSAGES = 20  # to each radio
WAITING = 10_000 if os.environ.get(LONG) else 100  # for a modem that is unplugged
WAIT_S = 60.0
FLUSH_S = 1200.0 if os.environ.get(LONG) else WAIT_S
ALERTS = "SELECT count(*) FROM alerts_alert a JOIN vehicles_vehicle v ON v.id = a.sender_id"
SAID = "SELECT content FROM messaging_message m JOIN vehicles_vehicle v ON v.id = m.sender_vehicle_id"
DELIVERED = "SELECT count(*) FROM messaging_messagerecipient r JOIN vehicles_vehicle v ON v.id = r.vehicle_id"
SEND = """
from django.contrib.auth.models import User
from django.utils import timezone
from v2v.fleets.policy import actor_of_user
from v2v.messaging.services import message_send
actor = actor_of_user(User.objects.get(username="alpha_dispatcher"))
for name in {names!r}:
    for n in range({first}, {last}):
        message_send(actor=actor, recipient_id=name, content=f"Order {{n}} for {{name}}", via="ws", now=timezone.now())
"""
RAISE = """
from django.utils import timezone
from v2v.alerts.services import Origin, Report, alert_raise
from v2v.vehicles.models import Vehicle
v = Vehicle.objects.get(vehicle_id={name!r})
origin = Origin(fleet_pk=v.fleet_id, via="ws", client_id="last", vehicle_pk=v.pk, vehicle_id=v.vehicle_id)
alert_raise(origin=origin, report=Report(type="crash", message="Last of all"), now=timezone.now())
"""


class Stage:
    """A server without a modem, its database, and a bridge as a process of its own."""

    def __init__(self, server: V2VServer, name: str, admin_url: str, waves: Waves) -> None:
        self.server = server
        self.waves = waves
        self._name = name
        self._admin_url = admin_url
        self._bridge: subprocess.Popen[bytes] | None = None
        self._log = server.directory / "bridge-log"

    def bridge_start(self) -> None:
        command = [sys.executable, "manage.py", "radio_bridge", "--port", str(self.waves.modem.path)]
        command += ["--fleet", "alpha", "--air-bps", "100000"]
        with self._log.open("ab") as log:
            self._bridge = subprocess.Popen(
                command, cwd=ROOT, env=self.server.environment, stdout=log, stderr=subprocess.STDOUT
            )

    def bridge_end(self, how: signal.Signals) -> int:
        assert self._bridge is not None
        self._bridge.send_signal(how)
        return self._bridge.wait(20)

    @property
    def is_running(self) -> bool:
        return self._bridge is not None and self._bridge.poll() is None

    def rows(self, sql: str) -> list[tuple]:
        with psycopg.connect(self.server.environment["DATABASE_URL"]) as connection:
            return connection.execute(sql).fetchall()

    def until(self, sql: str, wanted: object, *, wait_s: float = WAIT_S) -> None:
        """Wait until the query says so."""
        deadline = time.monotonic() + wait_s
        while (found := self.rows(sql)[0][0]) != wanted:
            assert time.monotonic() < deadline, f"{sql}: {found}, not {wanted}\n{self._log.read_text()[-3000:]}"
            time.sleep(0.1)

    def cut(self, *, allow: bool) -> None:
        """Let connections to the database in, or cut them and let none in."""
        with psycopg.connect(self._admin_url, autocommit=True) as admin:
            admin.execute(f"ALTER DATABASE {self._name} ALLOW_CONNECTIONS {'true' if allow else 'false'}")
            if not allow:
                admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [self._name])

    def station(self) -> tuple[Station, str]:
        """The radio of a fresh vehicle, which has said its name to the bridge."""
        name, _ = self.server.vehicle()
        station = self.waves.station()
        deadline = time.monotonic() + WAIT_S
        while not station.acked(station.send(Hello(vehicle_id=name))):
            assert time.monotonic() < deadline, self._log.read_text()[-3000:]
        return station, name


@pytest.fixture(scope="module")
def stage(run: Run, postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    server = v2v.start(run, database_url=f"{postgres_url.rpartition('/')[0]}/{name}")
    port: Path = tmp_path_factory.mktemp("radio") / "modem"
    waves = Waves(port)
    stage = Stage(server, name, postgres_url, waves)
    stage.bridge_start()
    yield stage
    if stage.is_running:
        stage.bridge_end(signal.SIGKILL)
    waves.close()
    server.stop()


def test_a_bridge_that_is_killed_again_and_again_loses_nothing_and_does_nothing_twice(
    stage: Stage, record_figure: RecordFigure
) -> None:
    random = Random(4)
    radios = [stage.station() for _ in range(3)]
    names = [name for _, name in radios]
    quoted = ", ".join(f"'{name}'" for name in names)
    deaf, _ = radios[0]
    deaf.is_deaf = True  # what is sent to it waits for an answer when the bridge dies
    stage.server.shell(SEND.format(names=names, first=0, last=MESSAGES))
    calls = [(station, station.send(Emergency(type="medical", content=f"Help {name}"))) for station, name in radios]
    words = [(station, f"Word {n} of {name}") for n in range(TEXTS) for station, name in radios]
    said = [(station, station.send(Text(content=content)), content) for station, content in words]
    for _ in range(KILLS):
        time.sleep(random.uniform(0.5, 4.0))  # anywhere in its work, or in its start
        stage.bridge_end(signal.SIGKILL)
        stage.bridge_start()
    deaf.is_deaf = False
    assert all(station.acked(key) for station, key in calls)
    acked = {content for station, key, content in said if station.acked(key)}
    stage.until(f"{DELIVERED} WHERE v.vehicle_id IN ({quoted}) AND r.status = 'delivered'", len(radios) * MESSAGES)
    assert stage.rows(f"{ALERTS} WHERE v.vehicle_id IN ({quoted})")[0][0] == len(radios)
    stored = [content for (content,) in stage.rows(f"{SAID} WHERE v.vehicle_id IN ({quoted})")]
    heard = [station.heard_texts() for station, _ in radios]
    twice = sum(len(contents) - len(set(contents)) for contents in heard)
    lost = len(acked - set(stored))
    record_figure(
        f"SIGKILL the radio bridge {KILLS} times",
        "acknowledged and lost = 0, stored twice = 0",
        f"lost {lost}, stored twice {len(stored) - len(set(stored))}; {twice} of {sum(map(len, heard))} read twice",
    )
    assert lost == 0
    assert len(stored) == len(set(stored))
    for (_, name), contents in zip(radios, heard, strict=True):
        assert set(contents) == {f"Order {n} for {name}" for n in range(MESSAGES)}


def test_an_emergency_is_not_acknowledged_while_the_database_is_away_and_stored_once_it_is_back(
    stage: Stage, record_figure: RecordFigure
) -> None:
    station, name = stage.station()
    stage.cut(allow=False)
    try:
        key = station.send(Emergency(type="crash", content="Nobody there"))
        time.sleep(4)  # it is sent again, and again not acknowledged
        assert not station.answered(key)
    finally:
        stage.cut(allow=True)
    began = time.monotonic()
    assert station.acked(key)
    took_s = time.monotonic() - began
    sql = (
        f"SELECT count(*) FROM alerts_alert a JOIN vehicles_vehicle v ON v.id = a.sender_id WHERE vehicle_id = '{name}'"
    )
    assert stage.rows(sql)[0][0] == 1
    record_figure(
        "database away while a radio calls for help", "no false acknowledgement", f"{took_s:.1f} s after it is back"
    )


@pytest.mark.timeout(3 * FLUSH_S)
def test_what_waits_while_the_modem_is_unplugged_goes_out_when_it_is_back_the_alert_first(
    stage: Stage, record_figure: RecordFigure
) -> None:
    station, name = stage.station()
    _, other = stage.station()
    frames = "SELECT count(*) FROM radio_radioframe f JOIN radio_radionode n ON n.id = f.node_id "
    frames += f"WHERE n.address = {station.address} AND f.direction = 'out' AND f.kind = 'text'"
    stage.waves.modem.unplug()
    try:
        stage.until("SELECT state FROM radio_radiobridge", "away")
        for first in range(0, WAITING, 1_000):
            stage.server.shell(SEND.format(names=[name], first=first, last=min(first + 1_000, WAITING)))
        stage.server.shell(RAISE.format(name=other))
        stage.until(f"{frames} AND f.state = 'queued'", WAITING, wait_s=FLUSH_S)
        stage.until("SELECT count(*) > 0 FROM radio_radioframe WHERE summary LIKE '%Last of all%'", True)
        station.heard_texts()
    finally:
        stage.waves.modem.plug()
    began = time.monotonic()
    assert isinstance(station.heard.get(timeout=WAIT_S).payload, Emergency)
    alert_s = time.monotonic() - began
    stage.until(f"{frames} AND f.state = 'acked'", WAITING, wait_s=FLUSH_S)
    record_figure(
        f"radio modem unplugged while {WAITING:,} frames wait",
        "all acknowledged, the alert first",
        f"the alert after {alert_s:.1f} s, all after {time.monotonic() - began:.0f} s at 100 kbit/s",
    )
    # One that was lost on air comes again behind those that were sent meanwhile.
    assert sorted(station.heard_texts()) == sorted(f"Order {n} for {name}" for n in range(WAITING))


def test_sigterm_ends_it_within_seconds_and_the_row_says_so(stage: Stage) -> None:
    began = time.monotonic()
    assert stage.bridge_end(signal.SIGTERM) == 0
    assert time.monotonic() - began < 10
    assert stage.rows("SELECT state FROM radio_radiobridge") == [("stopped",)]
    stage.bridge_start()
    stage.until("SELECT state FROM radio_radiobridge", "up")


def test_a_second_bridge_of_the_same_name_takes_the_place_of_the_first(stage: Stage) -> None:
    first = stage._bridge
    assert first is not None
    stage.bridge_start()
    assert first.wait(30) == 1
    assert stage.is_running
    stage.until("SELECT state FROM radio_radiobridge", "up")
