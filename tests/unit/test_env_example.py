"""`.env.example` tells of every variable that the code reads."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
READ = re.compile(r"""\benv\.\w+\(\s*"([A-Z0-9_]+)\"""")
LISTED = re.compile(r"^(?:# )?([A-Z0-9_]+)=", re.MULTILINE)


def test_every_variable_of_the_settings_is_listed_once() -> None:
    read = set(READ.findall((ROOT / "config/settings/base.py").read_text()))
    listed = LISTED.findall((ROOT / ".env.example").read_text())
    assert read - set(listed) == set()
    assert sorted(listed) == sorted(set(listed))
