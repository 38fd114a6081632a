"""Requests share a commit, and each hears only of itself."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from relayscope.collector.ingest.commit_group import MAX_ROWS, CommitGroup
from relayscope.storage import Batch, StorageUnavailable, WriteOutcome

if TYPE_CHECKING:
    from collections.abc import Sequence


class Database:
    """Writes what it is given, once it is let; keeps the groups in which it came."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.groups: list[list[bytes]] = []
        self.failures: dict[bytes, Exception] = {}
        self.sizes: list[int] = []

    def write(self, batches: Sequence[Batch]) -> list[WriteOutcome]:
        """Store a group, or fail because of one in it."""
        assert self.open.wait(30)
        self.groups.append([batch.digest for batch in batches])
        for batch in batches:
            if batch.digest in self.failures:
                raise self.failures[batch.digest]
        return [WriteOutcome(reason=batch.digest.decode()) for batch in batches]

    def committed(self, seconds: float, items: int) -> None:
        """Note the size of a group."""
        assert seconds >= 0
        self.sizes.append(items)


def batch(name: str, rows: int = 1) -> Batch:
    """A batch that can be told from others."""
    return Batch(name.encode(), logs=[()] * rows)


async def store(database: Database, *batches: Batch) -> list[WriteOutcome | BaseException]:
    """Store a first batch, and all others while that one is being written."""
    group = CommitGroup(database.write, database.committed)
    waiting = [asyncio.ensure_future(group.store(each)) for each in batches]
    await asyncio.sleep(0)  # all are in the queue
    database.open.set()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    await group.close()
    return results


def test_each_request_gets_its_own_outcome() -> None:
    """Requests in one transaction have outcomes of their own."""
    names = [f"b{number}" for number in range(20)]
    results = asyncio.run(store(Database(), *map(batch, names)))
    assert results == [WriteOutcome(reason=name) for name in names]


def test_what_waits_is_written_together() -> None:
    """A handful of commits for many requests."""
    database = Database()
    asyncio.run(store(database, *(batch(f"b{number}") for number in range(200))))
    assert len(database.groups) <= 3
    assert sum(database.sizes) == 200


def test_a_group_has_a_bound() -> None:
    """So that the first in it does not wait for ever."""
    database = Database()
    asyncio.run(store(database, *(batch(f"b{number}", MAX_ROWS // 2) for number in range(9))))
    assert max(database.sizes) <= MAX_ROWS


def test_all_hear_that_the_database_is_away() -> None:
    """Nothing of the group was stored."""
    database = Database()
    database.failures[b"b3"] = StorageUnavailable("away")
    results = asyncio.run(store(database, *(batch(f"b{number}") for number in range(5))))
    together = next(group for group in database.groups if b"b3" in group)
    failed = [f"b{number}".encode() for number in range(5) if results[number] != outcome(number)]
    assert failed == together
    assert all(isinstance(results[int(name[1:])], StorageUnavailable) for name in failed)


def outcome(number: int) -> WriteOutcome:
    """Of the batch of that number."""
    return WriteOutcome(reason=f"b{number}")


def test_what_nobody_foresaw_hurts_only_who_brought_it() -> None:
    """The others of its group are written without it."""
    database = Database()
    database.failures[b"b3"] = RuntimeError("unforeseen")
    results = asyncio.run(store(database, *(batch(f"b{number}") for number in range(5))))
    assert isinstance(results.pop(3), RuntimeError)
    assert results == [outcome(number) for number in (0, 1, 2, 4)]


def test_closing_writes_what_waits() -> None:
    """Nothing that was taken is dropped."""

    async def scenario(database: Database) -> WriteOutcome:
        group = CommitGroup(database.write, database.committed)
        waiting = asyncio.ensure_future(group.store(batch("last")))
        await asyncio.sleep(0)
        closing = asyncio.ensure_future(group.close())
        database.open.set()
        await closing
        return await waiting

    assert asyncio.run(scenario(Database())) == WriteOutcome(reason="last")


def test_a_request_that_was_given_up_is_written_all_the_same() -> None:
    """And does not keep the outcome of the others from them."""

    async def scenario(database: Database) -> WriteOutcome:
        group = CommitGroup(database.write, database.committed)
        given_up = asyncio.ensure_future(group.store(batch("given up")))
        kept = asyncio.ensure_future(group.store(batch("kept")))
        await asyncio.sleep(0)
        given_up.cancel()
        database.open.set()
        result = await kept
        await group.close()
        with pytest.raises(asyncio.CancelledError):
            await given_up
        return result

    database = Database()
    assert asyncio.run(scenario(database)) == WriteOutcome(reason="kept")
    assert b"given up" in [name for group in database.groups for name in group]
