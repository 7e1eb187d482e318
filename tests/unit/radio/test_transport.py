"""A link over a real pseudo-terminal and a real socket, with the plug pulled at every moment."""

import os
import pty
import queue
import select
import socket
import threading
import time
import tty
from random import Random

import pytest

from radio.link.frames import Frame, frame_encode
from radio.link.modem import Air, PtyModem, Simulation, Weather
from radio.link.payloads import Emergency, FrameType, Position, Status, Text
from radio.link.protocol import Link
from radio.link.traffic import Acked, Outgoing, Priority, Received, Sent, State, StateChanged
from radio.link.transport import open_link

TRUCK = 7


class Told(queue.Queue):
    """The events of a link; waits for one of a kind, those before it are dropped."""

    def next(self, kind, holds=lambda event: True):
        deadline = time.monotonic() + 15
        while True:
            event = self.get(timeout=max(0.01, deadline - time.monotonic()))
            if isinstance(event, kind) and holds(event):
                return event

    def up(self):
        return self.next(StateChanged, lambda event: event.state is State.UP)

    def away(self):
        return self.next(StateChanged, lambda event: event.state is State.AWAY)


class Truck:
    """A vehicle's station on the simulated air, which stores all that it is sent."""

    def __init__(self, **arguments):
        self.link = Link(address=TRUCK, random=Random(2), air_bits_per_s=100_000, **arguments)
        self.received = []
        self.to_send: queue.Queue[Outgoing] = queue.Queue()
        self.link.opened(time.monotonic())
        self.told = Told()

    def step(self, now):
        while not self.to_send.empty():
            self.link.offer(self.to_send.get())
        for event in self.link.take_events():
            if isinstance(event, Received):
                self.received.append(event.payload)
                self.link.acknowledge(event, Status.ACCEPTED, now)
            self.told.put(event)


@pytest.fixture
def modem(tmp_path):
    modem = PtyModem(tmp_path / "modem")
    yield modem
    modem.unplug()


@pytest.fixture
def truck(modem):
    truck = Truck()
    air = Air(Weather(delay_s=0.01), seed=1)
    air.join(modem)
    air.join(truck.link)
    simulation = Simulation(air, truck.step)
    yield truck
    simulation.close()


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def bridge(modem, truck, told):
    link = open_link("frame", str(modem.path), on_event=told.put, air_bits_per_s=100_000)
    told.up()
    yield link
    link.close()


def text(key, content="Come home"):
    return Outgoing(key=key, payload=Text(content=content), recipient=TRUCK, wants_ack=True)


def test_positions_come_in_with_their_signal(bridge, told, truck):
    where = Position(lat=25.2, lng=55.3, speed=12.5, heading=90, at=1_790_000_000)
    truck.to_send.put(Outgoing(key=1, payload=where, priority=Priority.BACKGROUND))
    received = told.next(Received)
    assert (received.payload, received.sender, received.wants_ack) == (where, TRUCK, False)
    assert -100 <= received.rssi <= -80
    assert 3 <= received.snr <= 7


def test_a_text_goes_out_and_is_acknowledged(bridge, told, truck):
    bridge.send(text(key=5))
    assert told.next(Acked) == Acked(key=5)
    assert truck.received == [Text(content="Come home")]


def test_an_emergency_is_acknowledged_once_it_is_stored(bridge, told, truck):
    truck.to_send.put(Outgoing(key=1, payload=Emergency(type="crash"), priority=Priority.ALERT, wants_ack=True))
    received = told.next(Received)
    assert received.wants_ack
    assert not [event for event in list(truck.told.queue) if isinstance(event, Acked)]
    bridge.acknowledge(received)
    assert truck.told.next(Acked) == Acked(key=1)


def test_the_plug_is_pulled_and_put_in_again_and_nothing_is_lost(bridge, told, truck, modem):
    modem.unplug()
    told.away()
    for key in range(20):
        bridge.send(text(key, f"number {key}"))
    modem.plug()
    acked = {told.next(Acked).key for _ in range(20)}
    assert acked == set(range(20))
    assert sorted(text.content for text in truck.received) == sorted(f"number {key}" for key in range(20))


def test_the_plug_is_pulled_while_frames_are_under_way(bridge, told, truck, modem):
    """At another moment of sending, waiting and answering each time; what was sent already keeps its number."""
    random = Random(3)
    for key in range(4):
        bridge.send(text(key, f"number {key}"))
        if random.random() < 0.5:
            told.next(Sent)
        modem.unplug()
        told.away()
        modem.plug()
        told.up()
    deadline = time.monotonic() + 15
    while len(set(map(str, truck.received))) < 4:
        assert time.monotonic() < deadline, truck.received
        time.sleep(0.02)
    assert len(truck.received) == 4


def test_a_port_that_is_not_there_is_waited_for(tmp_path, truck):
    told = Told()
    link = open_link("frame", str(tmp_path / "later"), on_event=told.put)
    try:
        assert "later" in told.away().reason
        assert link.state is State.AWAY
        later = PtyModem(tmp_path / "later")
        told.up()
        assert link.state is State.UP
        later.unplug()
        told.away()
    finally:
        link.close()
    assert link.state is State.CLOSED


def test_closing_takes_less_than_two_seconds_whatever_the_state(tmp_path, bridge):
    away = open_link("frame", str(tmp_path / "nothing"), on_event=lambda event: None)
    with socket.create_server(("127.0.0.1", 0), backlog=1) as silent:
        connected = open_link("frame", f"socket://127.0.0.1:{silent.getsockname()[1]}", on_event=lambda event: None)
        for link in (away, connected, bridge):
            link.close()
            assert not link._thread.is_alive()


def test_a_modem_behind_a_socket_is_a_modem(truck):
    told = Told()
    with socket.create_server(("127.0.0.1", 0)) as server:
        link = open_link("frame", f"socket://127.0.0.1:{server.getsockname()[1]}", on_event=told.put)
        try:
            connection, _ = server.accept()
            told.up()  # what comes before belongs to whoever was there before, and is dropped
            connection.sendall(frame_encode(Frame(type=FrameType.HELLO, sequence=1, sender=TRUCK, payload=b"truck-7")))
            assert told.next(Received).payload.vehicle_id == "truck-7"
            connection.close()
            told.away()
            server.accept()[0].close()
        finally:
            link.close()


def test_a_meshtastic_radio_is_up_once_it_has_answered_and_takes_a_text():
    told = Told()
    radio, port = pty.openpty()
    tty.setraw(port)
    link = open_link("meshtastic", os.ttyname(port), on_event=told.put)
    try:
        assert read_until(radio, bytes.fromhex("94c3 0002 1801"))  # want_config_id = 1
        assert link.state is State.AWAY
        os.write(radio, bytes.fromhex("94c3 0004 1a02 0810 94c3 0002 3801"))
        told.up()
        link.send(text(key=1, content="hi"))
        assert read_until(radio, bytes.fromhex("0801 1202 6869"))
        os.write(radio, bytes.fromhex("94c3 0006 5a04 1001 2001"))  # queue_status: free 1, packet 1
        answer = "0d07000000 1510000000 220b 0805 1202 1800 3501000000 3509000000"
        os.write(radio, bytes.fromhex("94c3 001e 121c" + answer))
        assert told.next(Acked) == Acked(key=1)
    finally:
        link.close()
        os.close(radio)
        os.close(port)


def read_until(descriptor, expected):
    read, deadline = b"", time.monotonic() + 15
    while expected not in read:
        assert select.select([descriptor], [], [], deadline - time.monotonic())[0], read
        read += os.read(descriptor, 4_096)
    return True


def test_a_loop_hears_itself_and_says_nothing_of_it():
    told = Told()
    link = open_link("frame", "loop://", on_event=told.put)
    try:
        told.up()
        link.send(text(key=1))
        told.next(Sent)
        deadline = time.monotonic() + 15
        while not link.counts["own"]:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert not [event for event in list(told.queue) if isinstance(event, Received)]
    finally:
        link.close()


def test_a_listener_that_fails_does_not_stop_the_link(modem, truck):
    came, first = threading.Event(), threading.Event()

    def listener(event):
        if not first.is_set():
            first.set()
            raise RuntimeError("a mistake")
        came.set()

    link = open_link("frame", str(modem.path), on_event=listener)
    try:
        assert first.wait(15)
        truck.to_send.put(Outgoing(key=1, payload=Position(lat=1, lng=2)))
        assert came.wait(15)
    finally:
        link.close()


@pytest.mark.parametrize(
    "arguments",
    [
        {"url": "nonsense://x"},
        {"baud": -1},
        {"address": 0xFFFF},
        {"version": 3},
        {"air_bits_per_s": 0},
    ],
)
def test_what_can_never_be_opened_is_refused_at_once(arguments):
    with pytest.raises(ValueError):
        open_link(**{"kind": "frame", "url": "loop://", "on_event": lambda event: None} | arguments)
