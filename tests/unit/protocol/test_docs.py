"""docs/protocol.md says what the code does."""

import importlib.util
import json
from typing import get_args

import msgspec
import pytest

from tests.unit.protocol.examples import COMMAND_LINES, COMMANDS, EVENT_LINES, EVENTS, INTRODUCTION, PAGE
from v2v.protocol.commands import DispatchCommand, VehicleCommand
from v2v.protocol.decode import decode_dispatch_command, decode_vehicle_command
from v2v.protocol.events import ServerEvent

TABLES = PAGE.parents[1] / "scripts" / "protocol_tables.py"


def tags(union: object) -> set[str]:
    return {kind.__struct_config__.tag for kind in get_args(union)}


def test_the_tables_are_those_of_the_code() -> None:
    spec = importlib.util.spec_from_file_location("protocol_tables", TABLES)
    assert spec is not None
    assert spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    page = PAGE.read_text()
    assert page.count("<!-- table:") == len(tables.TABLES)
    assert tables.with_tables(page) == page, "run scripts/protocol_tables.py"


def test_every_command_and_event_has_an_example() -> None:
    assert set(COMMANDS) == tags(VehicleCommand) | tags(DispatchCommand)
    assert set(EVENTS) == tags(ServerEvent)


@pytest.mark.parametrize("line", COMMAND_LINES)
def test_an_example_of_a_command_is_taken(line: str) -> None:
    decode = decode_vehicle_command if json.loads(line)["event"] in tags(VehicleCommand) else decode_dispatch_command
    decode(line.encode())


@pytest.mark.parametrize("line", EVENT_LINES)
def test_an_example_of_an_event_is_what_the_server_sends(line: str) -> None:
    event = msgspec.json.decode(line, type=ServerEvent)
    sent = json.loads(msgspec.json.encode(event))
    shown = json.loads(line)
    shown.pop("seq", None)
    assert sent == shown


def test_the_introduction_is_true() -> None:
    register, location, positions = INTRODUCTION
    decode_vehicle_command(register.encode())
    decode_vehicle_command(location.encode())
    msgspec.json.decode(positions, type=ServerEvent)
