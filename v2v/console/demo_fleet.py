"""The demo fleet as a process beside the server: it drives against the server as any fleet does."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

_STOP_WITHIN_S = 5.0


@contextmanager
def demo_fleet(*, vehicles: int, port: int, token_file: Path) -> Iterator[None]:
    """Let `vehicles` trucks drive against the server on `port` for as long as the body runs; none for 0."""
    if not vehicles:
        yield
        return
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "simulate", "--incidents", "0"]
    command += ["--vehicles", str(vehicles), "--url", f"ws://127.0.0.1:{port}/ws/vehicle/"]
    command += ["--token-file", str(token_file), "--prefix", "truck-"]
    fleet = subprocess.Popen(command, stdout=subprocess.DEVNULL)  # noqa: S603 - our own program
    try:
        yield
    finally:
        fleet.terminate()
        try:
            fleet.wait(_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            fleet.kill()
