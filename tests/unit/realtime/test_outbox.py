"""One connection's outgoing frames."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.realtime.parts import End
from v2v.protocol import events
from v2v.protocol.codes import CloseCode
from v2v.realtime.outbox import Outbox


def outbox(end: End, *, frames: int = 8, size: int = 10_000) -> Outbox:
    return Outbox(end, frame=events.peer_locations, limit_frames=frames, limit_bytes=size)


def ack(number: int) -> bytes:
    return events.encode_event(events.Ack(data=events.Ack.Data(id=str(number))))


def part(vehicle: int, lat: float) -> bytes:
    return events.encode_part(events.Peer(vehicle_id=f"v-{vehicle}", lat=lat, lng=0.0, ts=1))


def resume(end: End, box: Outbox, room: int | None = None) -> None:
    end.can_write, end.room = True, room
    box.flush()


def test_frames_go_out_at_once_and_are_numbered() -> None:
    end = End()
    box = outbox(end)
    for number in range(3):
        box.post(ack(number))
    assert [(m["data"]["id"], m["seq"]) for m in end.messages] == [("0", 1), ("1", 2), ("2", 3)]


def test_control_frames_wait_in_order_and_nothing_overtakes_them() -> None:
    end = End(can_write=False)
    box = outbox(end)
    box.post(ack(0))
    box.post(ack(1))
    assert end.frames == []
    end.can_write = True  # the socket has room again, but what waited has not gone out yet
    box.post(ack(2))
    resume(end, box)
    assert [m["seq"] for m in end.messages] == [1, 2, 3]


def test_of_a_vehicle_that_moves_on_only_the_newest_position_waits() -> None:
    end = End(can_write=False)
    box = outbox(end)
    for lat in range(50):
        box.post_positions([1, 2], [part(1, lat), part(2, -lat)])
    resume(end, box)
    (frame,) = end.messages
    assert {peer["vehicleId"]: peer["lat"] for peer in frame["data"]["peers"]} == {"v-1": 49.0, "v-2": -49.0}


def test_positions_wait_behind_control_frames() -> None:
    end = End(can_write=False)
    box = outbox(end)
    box.post_positions([1], [part(1, 1.0)])
    box.post(ack(0))
    resume(end, box)
    assert end.names == ["ack", "peer_locations"]


def test_a_socket_that_fills_up_again_gets_the_rest_later() -> None:
    end = End(can_write=False)
    box = outbox(end)
    for number in range(4):
        box.post(ack(number))
    box.post_positions([1], [part(1, 1.0)])
    resume(end, box, room=2)
    assert end.names == ["ack", "ack"]
    resume(end, box, room=2)
    assert end.names == ["ack"] * 4
    resume(end, box)
    assert end.names == ["ack"] * 4 + ["peer_locations"]


def test_one_frame_over_the_bound_closes_the_slow_reader() -> None:
    end = End(can_write=False)
    box = outbox(end, frames=8)
    for number in range(8):
        box.post(ack(number))
    assert end.closed is None
    box.post(ack(8))
    assert end.closed == (CloseCode.SLOW_READER, "too slow a reader")


def test_one_byte_over_the_bound_closes_the_slow_reader() -> None:
    size = len(events.numbered(ack(0), 1))
    end = End(can_write=False)
    box = outbox(end, size=2 * size)
    box.post(ack(0))
    box.post(ack(1))
    assert end.closed is None
    box.post(ack(2))
    assert end.closed is not None


def test_bytes_that_went_out_count_no_more() -> None:
    size = len(events.numbered(ack(0), 1))
    end = End()
    box = outbox(end, size=2 * size)
    for _ in range(4):
        end.can_write = False
        box.post(ack(0))
        box.post(ack(0))
        resume(end, box)
    assert end.closed is None
    assert len(end.frames) == 8


def test_nothing_goes_out_behind_the_close() -> None:
    end = End(can_write=False)
    box = outbox(end)
    box.post(ack(0))
    box.post_positions([1], [part(1, 1.0)])
    box.close(CloseCode.REPLACED)
    box.close(CloseCode.NORMAL)
    box.post(ack(1))
    box.post_positions([1], [part(1, 2.0)])
    resume(end, box)
    assert end.frames == []
    assert end.closed == (CloseCode.REPLACED, "replaced by a newer connection")


STEPS = st.one_of(
    st.tuples(st.just("control")),
    st.tuples(st.just("position"), st.integers(0, 3)),
    st.tuples(st.just("room"), st.integers(1, 4)),
    st.tuples(st.just("full")),
)


@given(st.lists(STEPS, max_size=60))
def test_whatever_the_socket_does_frames_come_in_order_without_gap_and_positions_never_go_back(
    steps: list[tuple[Any, ...]],
) -> None:
    end = End()
    box = outbox(end, frames=1_000, size=1_000_000)
    sent, newest = 0, {}
    for clock, (kind, *argument) in enumerate(steps):
        if kind == "control":
            sent += 1
            box.post(ack(sent))
        elif kind == "position":
            newest[f"v-{argument[0]}"] = float(clock)
            box.post_positions([argument[0]], [part(argument[0], clock)])
        elif kind == "room":
            resume(end, box, room=argument[0])
        else:
            end.can_write = False
    resume(end, box)
    resume(end, box)
    controls = [m["seq"] for m in end.messages if m["event"] == "ack"]
    assert controls == list(range(1, sent + 1))
    seen: dict[str, float] = {}
    for frame in map(json.loads, end.frames):
        for peer in frame["data"].get("peers", ()):
            assert peer["lat"] > seen.get(peer["vehicleId"], -1.0)
            seen[peer["vehicleId"]] = peer["lat"]
    assert seen == newest
