"""`.env.example` tells of every variable that the code reads, with its default, and of no other."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LISTED = re.compile(r"^(?:# )?([A-Z0-9_]+)=(.*)$", re.MULTILINE)
NAMED = re.compile(r"`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`")
COMPOSE = re.compile(r"\$\{([A-Z0-9_]+)")
ONLY_OUTSIDE = {"ENV_FILE"}  # names the file itself
OF_THE_BUILD = {"VERSION", "BUILD_TIMESTAMP"}  # `make up` gives them to the image
TO_FILL_IN = {"SECRET_KEY", "POSTGRES_PASSWORD"}


def read_by_the_settings() -> dict[str, str | None]:
    """Each variable with its default as `.env` writes it; None for one that is worked out."""
    found: dict[str, str | None] = {}
    for node in ast.walk(ast.parse((ROOT / "config/settings/base.py").read_text())):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if isinstance(node.func.value, ast.Name) and node.func.value.id == "env" and len(node.args) == 2:
            name, default = node.args
            assert isinstance(name, ast.Constant)
            found[str(name.value)] = as_text(default)
    return found


def as_text(default: ast.expr) -> str | None:
    match default:
        case ast.Constant(value=bool(value)):
            return str(int(value))
        case ast.Constant(value=float(value)):
            return f"{value:g}"
        case ast.Constant(value=value):
            return str(value)
        case ast.List(elts=items):
            return ",".join(str(item.value) for item in items if isinstance(item, ast.Constant))
    return None


READ = read_by_the_settings()
EXAMPLES = LISTED.findall((ROOT / ".env.example").read_text())


def test_what_is_read_is_listed_once_and_nothing_else_is() -> None:
    composed = set(COMPOSE.findall((ROOT / "compose.yaml").read_text())) - OF_THE_BUILD
    assert sorted(name for name, _ in EXAMPLES) == sorted((READ.keys() | composed) - ONLY_OUTSIDE)


def test_the_defaults_are_those_of_the_code() -> None:
    shown = {name: value for name, value in EXAMPLES if READ.get(name) is not None and name not in TO_FILL_IN}
    assert shown == {name: READ[name] for name in shown}


@pytest.mark.parametrize("page", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]), ids=lambda page: page.name)
def test_a_variable_that_the_documents_name_exists(page: Path) -> None:
    assert set(NAMED.findall(page.read_text())) - {name for name, _ in EXAMPLES} - ONLY_OUTSIDE == set()


SHOW = "from django.conf import settings; print(settings.TICK_MS, settings.REDIS_URL or 'none', settings.EMBEDDED)"


def shown_by(settings: str, env_file: Path, directory: Path) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": settings,
        "ENV_FILE": str(env_file),
        "VAR_DIR": str(directory),
    }
    command = [sys.executable, "-c", SHOW]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout.strip()


def test_a_file_of_variables_reaches_servers_and_commands_and_no_test(tmp_path: Path) -> None:
    of_a_developer = tmp_path / "env"
    lines = ["TICK_MS=999", "REDIS_URL=redis://elsewhere", "DATABASE_URL=postgres://elsewhere/v2v", "SECRET_KEY=x"]
    of_a_developer.write_text("\n".join(lines))
    assert shown_by("config.settings.base", of_a_developer, tmp_path) == "999 redis://elsewhere False"
    assert shown_by("config.settings.test", of_a_developer, tmp_path) == "200 none True"
