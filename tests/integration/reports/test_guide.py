"""The guide for phones and trackers: its requests do what it says."""

import re
import shlex
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.integration.reports.asking import Answer, ask, basic, history
from tests.servers.v2v import V2VServer

GUIDE = (Path(__file__).parents[3] / "docs/trackers.md").read_text()
SERVER = "https://v2v.example.com"
COMMANDS = [
    line
    for block in re.findall(r"```bash\n(.*?)```", GUIDE, re.DOTALL)
    for line in block.replace("\\\n", " ").splitlines()
]


def run(server: V2VServer, command: str, vehicle_id: str, token: str) -> Answer:
    """What curl would do, with the vehicle and its token in their places."""
    name, *words = shlex.split(command.replace("truck-7", vehicle_id).replace("TOKEN", token))
    assert name == "curl"
    options: dict[str, str] = {}
    headers: dict[str, str] = {}
    address = ""
    while words:
        word = words.pop(0)
        if word == "-H":
            header, _, value = words.pop(0).partition(": ")
            headers[header.replace("-", "_")] = value
        elif word in ("-X", "-d"):
            options[word] = words.pop(0)
        else:
            address = word
    assert address.startswith(SERVER)
    return ask(server, options.get("-X", "GET"), address.removeprefix(SERVER), options.get("-d"), **headers)


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_of_the_guide_works(server: V2VServer, command: str) -> None:
    answer = run(server, command, *server.vehicle())
    assert answer.status == (202 if "-X POST" in command else 200), answer.text


def test_what_the_guide_reports_is_stored_as_it_says(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    for command in COMMANDS:
        if "/ingest/osmand" in command or "-X POST" in command:
            run(server, command, vehicle_id, token)
    by_knots, by_meters = history(server, vehicle_id, token, count=2)
    assert by_knots["speed"] == pytest.approx(9.98, abs=0.01)
    assert by_meters["speed"] == 14.2
    assert by_knots["lat"] == by_meters["lat"] == 25.2048


def setting(name: str) -> str:
    (value,) = re.findall(rf"^\| {name} \| `([^`]*)` \|$", GUIDE, re.MULTILINE)
    return str(value)


def test_the_settings_of_the_apps_lead_where_they_should(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    address = urlsplit(setting("Server URL").replace("TOKEN", token))
    nested: Any = {"coords": {"latitude": 25.1, "longitude": 55.2}, "timestamp": "2026-01-01T00:00:00.000Z"}
    body = {"location": nested, "device_id": vehicle_id}
    assert setting("Device identifier") == setting("User name") == "truck-7"
    answer = ask(server, "POST", f"{address.path}?{address.query}", body)
    assert [result["outcome"] for result in answer.json["results"]] == ["old"]
    address = urlsplit(setting("URL"))
    message = {"_type": "location", "lat": 25.1, "lon": 55.2, "tst": 1_767_225_600}
    assert ask(server, "POST", address.path, message, **basic(vehicle_id, token)).json == []


def test_the_address_for_osmand_is_taken(server: V2VServer) -> None:
    vehicle_id, token = server.vehicle()
    (address,) = re.findall(rf"^    {SERVER}(/ingest/osmand\S+)$", GUIDE, re.MULTILINE)
    filled = address.replace("TOKEN", token).replace("truck-7", vehicle_id).format(25.1, 55.2, "", "", 12, "", 90)
    assert [result["outcome"] for result in ask(server, "GET", filled).json["results"]] == ["live"]
    history(server, vehicle_id, token, count=1)
