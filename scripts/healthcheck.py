"""Whether this machine's server is alive: the exit code says it. For the container's health check."""

import os
import sys
import urllib.request

DEADLINE_S = 2


def main() -> int:
    """Ask `/health/live` under a name at which the server answers."""
    name = os.environ.get("ALLOWED_HOSTS", "localhost").split(",")[0].removeprefix("*").lstrip(".")
    url = f"http://127.0.0.1:{os.environ.get('PORT', '8000')}/health/live"
    try:
        urllib.request.urlopen(urllib.request.Request(url, headers={"Host": name or "localhost"}), timeout=DEADLINE_S)
    except OSError as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
