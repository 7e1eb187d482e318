"""The queue as a Redis Stream with one consumer group: any number of servers put, any number of writers take."""

import os
import socket
import time
import uuid
from collections.abc import Sequence
from typing import Any

import redis

from v2v.tracking.queue import MINUTES_KEPT, TALLIED, Entry, Figures, QueueFull, QueueUnavailable

TIMEOUT_S = 2.0
_GROUP = "writers"
_FULL = "QUEUEFULL"
_FORGET_CONSUMER_MS = 3_600_000
_TALLY_KEPT_S = (MINUTES_KEPT + 5) * 60

# All chunks or none; the counter of positions is kept by the scripts, since XLEN counts chunks.
_PUT = f"""
if tonumber(redis.call('GET', KEYS[2]) or '0') >= tonumber(ARGV[1]) then return redis.error_reply('{_FULL}') end
local count = 0
for i = 2, #ARGV, 2 do
  redis.call('XADD', KEYS[1], '*', 'p', ARGV[i], 'n', ARGV[i + 1])
  count = count + tonumber(ARGV[i + 1])
end
return redis.call('INCRBY', KEYS[2], count)
"""

# Of two writers that have both stored an entry only one takes it out of the counter.
_DONE = """
local count = 0
for i = 2, #ARGV, 2 do
  redis.call('XACK', KEYS[1], ARGV[1], ARGV[i])
  if redis.call('XDEL', KEYS[1], ARGV[i]) == 1 then count = count + tonumber(ARGV[i + 1]) end
end
return redis.call('DECRBY', KEYS[2], count)
"""


class RedisQueue:
    """`claim_after_s`: what a writer has said nothing of for so long is another's; `prefix` begins every key.

    Every method raises QueueUnavailable while Redis is away, after 2 s at the most and what `take` was to wait.
    """

    def __init__(self, url: str, *, limit: int, claim_after_s: float, prefix: str = "v2v:") -> None:
        # One more try on a fresh connection: after a restart those of the pool are dead.
        self._client = redis.Redis.from_url(
            url, socket_timeout=TIMEOUT_S, socket_connect_timeout=TIMEOUT_S, health_check_interval=0
        )
        self._limit = limit
        self._claim_after_ms = int(claim_after_s * 1000)
        self._stream = f"{prefix}positions"
        self._counter = f"{prefix}positions:waiting"
        self._tallies = f"{prefix}positions:tally:"
        self._consumer = f"{socket.gethostname()}-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        self._put = self._client.register_script(_PUT)
        self._done = self._client.register_script(_DONE)
        self._claim_due = 0.0
        self._claim_from = "0-0"

    def put(self, chunks: Sequence[tuple[bytes, int]]) -> None:
        """Take all chunks or none, in one round trip; raises QueueUnavailable."""
        arguments = [part for chunk in chunks for part in chunk]
        try:
            self._put([self._stream, self._counter], [self._limit, *arguments])
        except redis.ResponseError as error:
            raise QueueFull if str(error).startswith(_FULL) else QueueUnavailable(str(error)) from error
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error

    def take(self, *, limit: int, wait_s: float) -> list[Entry]:
        """First what writers that died have left, looked for now and then; then what nobody has had yet."""
        try:
            now = time.monotonic()
            if now >= self._claim_due:
                if claimed := self._claim(limit):
                    return claimed
                self._claim_due = now + self._claim_after_ms / 2000
            return self._read(limit, wait_s)
        except redis.ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise QueueUnavailable(str(error)) from error
            self._make_group()
            return []
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error

    def _read(self, limit: int, wait_s: float) -> list[Entry]:
        block = min(int(wait_s * 1000), int(TIMEOUT_S * 500)) or None  # 0 would block for ever
        found: Any = self._client.xreadgroup(_GROUP, self._consumer, {self._stream: ">"}, count=limit, block=block)
        return [_entry(*message) for _, messages in found or () for message in messages]

    def _claim(self, limit: int) -> list[Entry]:
        found: Any = self._client.xautoclaim(
            self._stream, _GROUP, self._consumer, self._claim_after_ms, start_id=self._claim_from, count=limit
        )
        self._claim_from = found[0]
        if not found[1]:
            self._forget_consumers()
        return [_entry(*message) for message in found[1]]

    def _forget_consumers(self) -> None:
        """Those of processes that are long gone; one that still has entries stays, or they would be lost."""
        consumers: Any = self._client.xinfo_consumers(self._stream, _GROUP)
        for consumer in consumers:
            if not consumer["pending"] and consumer["idle"] > _FORGET_CONSUMER_MS:
                self._client.xgroup_delconsumer(self._stream, _GROUP, consumer["name"])

    def _make_group(self) -> None:
        try:
            self._client.xgroup_create(self._stream, _GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if "BUSYGROUP" not in str(error):  # another writer was quicker
                raise QueueUnavailable(str(error)) from error
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error

    def done(self, entries: Sequence[Entry]) -> None:
        """Forget them, whoever has them by now; raises QueueUnavailable, and they come again."""
        arguments = [part for entry in entries for part in (entry.id, entry.rows)]
        try:
            self._done([self._stream, self._counter], [_GROUP, *arguments])
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error

    def renew(self, entries: Sequence[Entry]) -> None:
        """Keep other writers from claiming them."""
        if not entries:
            return
        try:
            ids: Any = [entry.id for entry in entries]
            self._client.xclaim(self._stream, _GROUP, self._consumer, 0, ids, justid=True)
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error

    def depth(self) -> int:
        """How many positions wait; raises QueueUnavailable."""
        try:
            waiting: Any = self._client.get(self._counter)
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error
        return int(waiting or 0)

    def tally(self, *, minute: int, **counts: int) -> None:
        """Add to the minute's counts of all writers; raises QueueUnavailable."""
        key = f"{self._tallies}{minute}"
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                for name, count in counts.items():
                    pipeline.hincrby(key, name, count)
                pipeline.expire(key, _TALLY_KEPT_S)
                pipeline.execute()
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error

    def figures(self, *, minute: int) -> Figures:
        """Of all writers; raises QueueUnavailable."""
        try:
            with self._client.pipeline(transaction=False) as pipeline:
                pipeline.get(self._counter)
                for ago in range(MINUTES_KEPT):
                    pipeline.hmget(f"{self._tallies}{minute - ago}", list(TALLIED))
                waiting, *minutes = pipeline.execute()
        except redis.RedisError as error:
            raise QueueUnavailable(str(error)) from error
        columns = {name: [int(counts[at] or 0) for counts in minutes] for at, name in enumerate(TALLIED)}
        return Figures(depth=int(waiting or 0), limit=self._limit, **columns)


def _entry(message_id: bytes, fields: dict[bytes, bytes]) -> Entry:
    return Entry(message_id.decode(), fields[b"p"], int(fields[b"n"]))
