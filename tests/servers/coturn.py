"""A TURN server of a test's own: coturn of the machine, by apt when we are root.

`python -m tests.servers.coturn` installs it where it can; no package of Python or Node brings one.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from tests.servers.run import Run, free_port

PROGRAM = "turnserver"


class Turn(NamedTuple):
    """Its address, and the secret that it shares."""

    url: str
    secret: str


def install() -> None:
    """Install it by apt, when it is missing and we are root."""
    if shutil.which(PROGRAM) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "coturn"]):
            subprocess.run(["apt-get", *step], env=environment, stdout=sys.stderr, check=False)


@contextmanager
def running(run: Run) -> Iterator[Turn]:
    """A server that relays between addresses of this machine alone; what it has written is printed at the end."""
    port, secret = free_port(), secrets.token_hex(16)
    directory = run.directory / f"turn-{port}"
    directory.mkdir()
    with (directory / "output").open("wb") as output:
        server = subprocess.Popen(
            [
                *(PROGRAM, "-n", "--listening-ip=127.0.0.1", f"--listening-port={port}", "--relay-ip=127.0.0.1"),
                *("--use-auth-secret", f"--static-auth-secret={secret}", "--realm=v2v.test", "--no-tls", "--no-dtls"),
                *("--allow-loopback-peers", "--no-cli", "--cli-password=unused", "--log-file=stdout"),
                *(f"--pidfile={directory}/pidfile", f"--userdb={directory}/userdb", "--fingerprint"),
            ],
            stdout=output,
            stderr=output,
        )
    try:
        yield Turn(f"turn:127.0.0.1:{port}", secret)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(10)
        print((directory / "output").read_text(errors="replace")[-3000:])  # noqa: T201  shown when the test failed


if __name__ == "__main__":
    install()
    where = shutil.which(PROGRAM)
    print(f"TURN server for the tests: {where or 'none (the tests that relay by one are skipped)'}")  # noqa: T201
