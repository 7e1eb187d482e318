"""What every test may ask for: a real Redis, a real PostgreSQL, and the split of a run over two databases."""

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Generator, Iterator, Sequence

import execnet
import pytest
from django.db import connection
from xdist.remote import Producer

from tests import databases
from tests.servers import coturn, postgres, redis, v2v
from tests.servers.run import Run, ServerError
from tests.servers.v2v import V2VServer

RUN = pytest.StashKey[Run]()
SESSION = pytest.StashKey[pytest.Session]()
LOG_SHOWN = 4_000  # characters


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--both-databases",
        action="store_true",
        help="with -n 2 or more: run integration tests on SQLite and on a private PostgreSQL",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[RUN] = Run()
    if config.getoption("both_databases") and not config.getoption("tx") and "PYTEST_XDIST_WORKER" not in os.environ:
        raise pytest.UsageError("--both-databases needs two workers: add -n 2")


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    session.config.stash[SESSION] = session


def pytest_unconfigure(config: pytest.Config) -> None:
    config.stash[RUN].end()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    for server in config.stash[RUN].started():
        terminalreporter.write_line(f"Ran on {server.version}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[execnet.XSpec]) -> None:
    if not config.getoption("both_databases"):
        return
    if len(specs) < 2:
        raise pytest.UsageError("--both-databases needs two workers: add -n 2")
    try:
        url = os.environ.get(databases.VARIABLE) or config.stash[RUN].shared("postgres", postgres.start).url
    except ServerError as problem:
        raise pytest.UsageError(str(problem)) from problem
    for number, spec in enumerate(specs):
        spec.env[databases.VARIABLE] = url if number % 2 else ""


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> databases.TwoDatabases | None:
    return databases.TwoDatabases(config.stash[SESSION], log) if config.getoption("both_databases") else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.getoption("both_databases"):
        return
    to_postgres = bool(os.environ.get(databases.VARIABLE))
    elsewhere = [item for item in items if not databases.belongs(item.path, to_postgres=to_postgres)]
    if elsewhere:
        config.hook.pytest_deselected(items=elsewhere)
        items[:] = [item for item in items if item not in elsewhere]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        report.sections.append(("Database", connection.vendor))
    return report


@pytest.fixture(scope="session")
def run(pytestconfig: pytest.Config) -> Run:
    """This test run, to start servers of one's own in."""
    return pytestconfig.stash[RUN]


@pytest.fixture(scope="session")
def redis_url(run: Run) -> str:
    """The address of the run's Redis, which all workers share: use it with `redis_prefix`."""
    return run.shared("redis", redis.start).url


@pytest.fixture
def redis_prefix() -> str:
    """What the keys and channels of this one test begin with."""
    return f"test-{uuid.uuid4().hex}:"


@pytest.fixture(scope="session")
def postgres_url(run: Run) -> str:
    """The address of the run's PostgreSQL, on which each test makes the databases that it needs."""
    return os.environ.get(databases.VARIABLE) or run.shared("postgres", postgres.start).url


@pytest.fixture(scope="session")
def server(run: Run) -> Iterator[V2VServer]:
    """Our own server, one for all tests of this process: take a fresh vehicle from it, and leave others alone."""
    running = v2v.start(run)
    yield running
    running.stop()


@pytest.fixture
def turn(run: Run) -> Iterator[coturn.Turn]:
    """A TURN server of the test's own."""
    if shutil.which(coturn.PROGRAM) is None:
        pytest.skip("coturn is not installed: `apt-get install coturn` brings the TURN server that this test relays by")
    with coturn.running(run) as server:
        yield server


@pytest.fixture
def start_server(run: Run) -> Iterator[Callable[..., V2VServer]]:
    """Starts a server of the test's own, with settings of its own."""
    running: list[V2VServer] = []

    def start(**settings: str) -> V2VServer:
        running.append(v2v.start(run, **settings))
        return running[-1]

    yield start
    for server in running:
        with contextlib.suppress(FileNotFoundError):
            print(server.log()[-LOG_SHOWN:])  # noqa: T201  shown when the test failed
        with contextlib.suppress(ProcessLookupError):
            server.stop()
