"""The examples of docs/protocol.md: one message a line."""

import json
import re
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parents[3] / "docs" / "protocol.md"
_BLOCKS = re.compile(r"```json\n(.*?)```", re.DOTALL)


def messages_of(text: str) -> list[str]:
    """The lines of the JSON blocks in a piece of Markdown."""
    return [line for block in _BLOCKS.findall(text) for line in block.splitlines()]


_introduction, _rest = PAGE.read_text().split("\n## Commands\n")
_commands, _events = _rest.split("\n## Events\n")
INTRODUCTION = messages_of(_introduction)
COMMAND_LINES = messages_of(_commands)
EVENT_LINES = messages_of(_events)
COMMANDS: dict[str, dict[str, Any]] = {json.loads(line)["event"]: json.loads(line) for line in COMMAND_LINES}
EVENTS: dict[str, dict[str, Any]] = {json.loads(line)["event"]: json.loads(line) for line in EVENT_LINES}
