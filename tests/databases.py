"""Integration tests on both databases in one run: some of pytest-xdist's workers have SQLite, some PostgreSQL.

`pytest -n 2 --both-databases` gives every second worker a private PostgreSQL. Each half of the workers shares out its
own tests by module: the SQLite half all but the browser tests, the PostgreSQL half the integration and browser tests.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController, parse_tx_spec_config

VARIABLE = "TEST_DATABASE_URL"
TESTS = Path(__file__).parent
ON_POSTGRES = {"integration", "browser"}
NOT_ON_SQLITE = {"browser"}


def belongs(test: Path, *, to_postgres: bool) -> bool:
    """Whether a test of this file runs in that half of the workers."""
    part = test.relative_to(TESTS).parts[0]
    return part in ON_POSTGRES if to_postgres else part not in NOT_ON_SQLITE


class TwoDatabases:
    """A scheduler of pytest-xdist that is made of two, one for each half of the workers."""

    def __init__(self, session: pytest.Session, log: Producer) -> None:
        self.session = session
        config = session.config
        self.sqlite = LoadScopeScheduling(config, log)
        self.postgres = LoadScopeScheduling(config, log)
        self.halves = (self.sqlite, self.postgres)
        workers = len(parse_tx_spec_config(config))
        self.postgres.numnodes = workers // 2
        self.sqlite.numnodes = workers - self.postgres.numnodes

    def _half(self, node: WorkerController) -> LoadScopeScheduling:
        return self.postgres if node.gateway.spec.env[VARIABLE] else self.sqlite

    @property
    def nodes(self) -> list[WorkerController]:
        return [node for half in self.halves for node in half.nodes]

    @property
    def collection_is_completed(self) -> bool:
        return all(half.collection_is_completed for half in self.halves)

    @property
    def tests_finished(self) -> bool:
        return all(half.tests_finished for half in self.halves)

    @property
    def has_pending(self) -> bool:
        return any(half.has_pending for half in self.halves)

    def add_node(self, node: WorkerController) -> None:
        self._half(node).add_node(node)

    def add_node_collection(self, node: WorkerController, collection: Sequence[str]) -> None:
        self._half(node).add_node_collection(node, collection)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        self._half(node).mark_test_complete(node, item_index, duration)

    def mark_test_pending(self, item: str) -> None:
        raise NotImplementedError

    def remove_pending_tests_from_node(self, node: WorkerController, indices: Sequence[int]) -> None:
        self._half(node).remove_pending_tests_from_node(node, indices)

    def remove_node(self, node: WorkerController) -> str | None:
        crashed: str | None = self._half(node).remove_node(node)
        return crashed

    def schedule(self) -> None:
        for half in self.halves:
            half.schedule()
        self.session.testscollected = sum(len(half.collection or ()) for half in self.halves)
