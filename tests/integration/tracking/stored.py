"""What a server under test has stored."""

import asyncio
import sqlite3
import time
from typing import Any

import psycopg

from tests.servers.v2v import V2VServer

WAIT_S = 20.0


def rows(server: V2VServer, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query in words that both databases know."""
    url = server.environment["DATABASE_URL"]
    if url:
        with psycopg.connect(url) as connection:
            return connection.execute(query.encode()).fetchall()
    with sqlite3.connect(server.directory / "v2v.sqlite3", timeout=10) as database:
        return database.execute(query).fetchall()


async def until(server: V2VServer, query: str, count: int) -> list[tuple[Any, ...]]:
    """Wait until the query finds so many rows; they."""
    deadline = time.monotonic() + WAIT_S
    while len(found := await asyncio.to_thread(rows, server, query)) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} rows: {query}"
        await asyncio.sleep(0.1)
    return found
