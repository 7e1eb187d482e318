"""Keeps one server for one test run: a process of its own that ends the server when the run is over.

The test run holds a lock on a file for as long as it lives, and the kernel gives the lock up however the run ends. So
this process waits for the lock: it needs no pid and no polling, and a killed test run leaves no server behind.
"""

import fcntl
import json
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

STOP_WAIT_S = 10


def main() -> int:
    """Run the server that the JSON in argv[1] describes; give back its exit code."""
    task = json.loads(sys.argv[1])
    directory = Path(task["directory"])
    identity = {"user": task["user"], "group": task["group"], "extra_groups": []} if task["user"] else {}
    with (directory / "log").open("ab") as log:
        server = subprocess.Popen(
            task["command"], cwd=directory, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **identity
        )
    stopping, over = threading.Event(), threading.Event()

    def stop(*_: object) -> None:
        stopping.set()
        server.send_signal(task["stop_signal"])
        last_resort = threading.Timer(STOP_WAIT_S, server.kill)
        last_resort.daemon = True
        last_resort.start()

    def stop_after_the_run() -> None:
        with Path(task["alive"]).open("rb") as alive:
            fcntl.flock(alive, fcntl.LOCK_EX)
        over.set()
        stop()

    signal.signal(signal.SIGTERM, stop)
    (directory / "pid").write_text(str(server.pid))
    threading.Thread(target=stop_after_the_run, daemon=True).start()
    code = server.wait()
    (directory / "pid").unlink()
    if stopping.is_set():
        shutil.rmtree(directory, ignore_errors=True)
        if over.is_set() and not any(directory.parent.glob("*/pid")):
            shutil.rmtree(directory.parent, ignore_errors=True)  # the last one out, should the run have been killed
    return code


if __name__ == "__main__":
    sys.exit(main())
