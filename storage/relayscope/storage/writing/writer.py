"""Batches into the database: all of a call in one transaction, each request once."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import chain
from operator import attrgetter
from typing import Any, Final, cast

import psycopg
from psycopg.types.string import BytesBinaryDumper
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from relayscope.storage import tables
from relayscope.storage.batch import Batch, Row, WriteOutcome
from relayscope.storage.errors import StorageFull, StorageUnavailable
from relayscope.storage.partitions import DAY, Partitions
from relayscope.storage.writing.copy import Copy
from relayscope.storage.writing.deadline import cut_after
from relayscope.storage.writing.dictionary import Dictionary
from relayscope.storage.writing.refused_rows import ROW_ERRORS, RefusedRows, is_of_the_row

_ROWS: Final[dict[str, Callable[[Batch], list[Row]]]] = {
    tables.span.name: attrgetter("spans"),
    tables.log.name: attrgetter("logs"),
    tables.metric_point.name: attrgetter("points"),
}

# Sorted, so that two who store the same requests wait for each other in one direction only.
_CLAIM: Final = (
    "insert into relayscope_store.request (digest) select unnest(%s::bytea[]) order by 1"
    " on conflict do nothing returning digest"
)
_HAS: Final = "select from relayscope_store.request where digest = %s"
_FORGET: Final = (
    "delete from relayscope_store.request where digest in (select digest"
    " from relayscope_store.request where stored_at < now() - %s limit %s)"
)
# A statement of a few 10 ms each, so that no writer waits for it.
_FORGET_AT_ONCE: Final = 10_000

_SETTINGS: Final = (
    "select set_config('lock_timeout', %(half)s, false),"
    " set_config('statement_timeout', %(whole)s, false),"
    " set_config('idle_in_transaction_session_timeout', %(whole)s, false)"
)


class Writer:
    """Stores batches of records: one transaction and one commit for all of a call.

    Not thread-safe: make one per writing thread. It keeps one connection, opened when needed.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        timeout: timedelta = timedelta(seconds=8),
        partition_width: timedelta = DAY,
        past_days: int = 31,
    ) -> None:
        """Prepare a writer; nothing is connected yet.

        Args:
            engine: The database to write to, already migrated.
            timeout: No call takes longer, whatever the database does; making a connection, which
                has its own (`create_engine`), not counted. The default leaves an OTLP client, who
                waits 10 s, time to hear of it.
            partition_width: Time that a new partition covers.
            past_days: Age in days beyond which rows get no partition of their own.
        """
        self._engine = engine
        self._seconds = timeout.total_seconds()
        self._connection: psycopg.Connection[Any] | None = None
        self._resources = Dictionary(tables.resource)
        self._scopes = Dictionary(tables.scope)
        self._copies = {table.name: Copy(table) for table in tables.PARTITIONED}
        self._partitions = {
            table.name: Partitions(table, width=partition_width, past_days=past_days)
            for table in tables.PARTITIONED
        }

    def write(self, batches: Sequence[Batch]) -> list[WriteOutcome]:
        """Store all batches and commit; batches that were stored before are skipped.

        Returns:
            One outcome per batch, in the same order.

        Raises:
            StorageUnavailable: Nothing is stored; or, only when the connection broke during the
                commit, perhaps everything is. Write the same batches again: their digests make
                sure that they are stored once.
        """
        if not batches:
            return []
        with self._connected() as connection:
            for name, rows_of in _ROWS.items():
                partitions = self._partitions[name]
                rows = chain.from_iterable(map(rows_of, batches))
                partitions.ensure(connection, partitions.numbers(rows))
            try:
                outcomes = self._write_what_can_be(connection, batches)
            except psycopg.errors.CheckViolation:
                # While they waited for DEFAULT, the rows got a partition, where they belong now.
                self._forget_insertions()
                outcomes = self._write_what_can_be(connection, batches)
            self._resources.committed()
            self._scopes.committed()
        return outcomes

    def has(self, digest: bytes) -> bool:
        """Tell whether a batch was stored, as far as it is remembered (`forget_requests`).

        Raises:
            StorageUnavailable: The database does not say.
        """
        with self._connected() as connection, connection.transaction():
            return connection.execute(_HAS, (digest,)).fetchone() is not None

    def prepare_partitions(self) -> None:
        """Make the partitions of today and tomorrow, so that no `write` has to.

        For one process that keeps house, a few times a day. Rows that had to go elsewhere before
        their partition was there move into it.

        Raises:
            StorageUnavailable: Some may not be there yet; `write` does without.
        """
        now = datetime.now(UTC)
        with self._connected() as connection:
            for partitions in self._partitions.values():
                ahead = range(partitions.number(now), partitions.number(now + DAY) + 1)
                partitions.ensure(connection, set(ahead))

    def forget_requests(self, older_than: timedelta) -> int:
        """Forget which requests were stored, after the window in which they may be repeated.

        Returns:
            The number of requests that were forgotten.

        Raises:
            StorageUnavailable: Some may be forgotten, others not; call it again later.
        """
        total = 0
        while True:
            with self._connected() as connection, connection.transaction():
                forgotten = connection.execute(_FORGET, (older_than, _FORGET_AT_ONCE)).rowcount
            total += forgotten
            if forgotten < _FORGET_AT_ONCE:
                return total

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        """Give a connection for a limited time; whatever goes wrong, do not use it again."""
        try:
            if self._connection is None:
                self._connection = self._connect()
            with cut_after(self._seconds, self._connection):
                yield self._connection
        except BaseException as error:
            self.close()
            self._forget_insertions()
            if isinstance(error, (psycopg.Error, SQLAlchemyError)):
                raise _unavailable(error) from error
            raise

    def _connect(self) -> psycopg.Connection[Any]:
        # What we know is of the database as it was: this one may be restored from an older copy.
        self._resources.forget()
        self._scopes.forget()
        for partitions in self._partitions.values():
            partitions.forget()
        pooled = self._engine.raw_connection()
        connection = cast("psycopg.Connection[Any]", pooled.driver_connection)
        # Ours for good: its settings are not for the next user of the pool.
        pooled.detach()
        # psycopg's default for bytea is the one for DB-API's `Binary`, in Python: 0.3 µs per value.
        connection.adapters.register_dumper(bytes, BytesBinaryDumper)
        milliseconds = int(self._seconds * 1000)
        with cut_after(self._seconds, connection), connection.transaction():
            connection.execute(
                _SETTINGS, {"half": str(milliseconds // 2), "whole": str(milliseconds)}
            )
        return connection

    def _write_what_can_be(
        self, connection: psycopg.Connection[Any], batches: Sequence[Batch]
    ) -> list[WriteOutcome]:
        """Store all rows at once, or, if some are refused, the others."""
        try:
            return self._write(connection, batches, self._store)
        except ROW_ERRORS as error:
            if not is_of_the_row(error):
                raise
            self._forget_insertions()
            return self._write(connection, batches, self._store_what_can_be)

    def _write(
        self,
        connection: psycopg.Connection[Any],
        batches: Sequence[Batch],
        store: Callable[[psycopg.Connection[Any], Sequence[Batch]], list[WriteOutcome]],
    ) -> list[WriteOutcome]:
        """Store, in one transaction, the batches that were not stored before."""
        with connection.transaction():
            digests = sorted({batch.digest for batch in batches})
            claimed = {row[0] for row in connection.execute(_CLAIM, (digests,))}
            outcomes = [WriteOutcome(duplicate=True)] * len(batches)
            fresh: list[int] = []
            for index, batch in enumerate(batches):
                if batch.digest in claimed:
                    claimed.remove(batch.digest)
                    fresh.append(index)
            stored = store(connection, [batches[index] for index in fresh])
            for index, outcome in zip(fresh, stored, strict=True):
                outcomes[index] = outcome
        return outcomes

    def _store(
        self, connection: psycopg.Connection[Any], batches: Sequence[Batch]
    ) -> list[WriteOutcome]:
        """Store all rows at once.

        Raises:
            psycopg.Error: At least one row was refused.
        """
        cursor = connection.cursor()
        self._resources.insert(
            cursor, chain.from_iterable(batch.resources.items() for batch in batches)
        )
        self._scopes.insert(cursor, chain.from_iterable(batch.scopes.items() for batch in batches))
        for name, rows_of in _ROWS.items():
            if any(map(rows_of, batches)):
                self._copies[name](cursor, chain.from_iterable(map(rows_of, batches)))
        return [WriteOutcome()] * len(batches)

    def _store_what_can_be(
        self, connection: psycopg.Connection[Any], batches: Sequence[Batch]
    ) -> list[WriteOutcome]:
        """Store all rows but the refused ones, found by halving what is refused as a whole."""
        try:
            with connection.transaction():
                return self._store(connection, batches)
        except ROW_ERRORS as error:
            if not is_of_the_row(error):
                raise
            self._forget_insertions()
        if len(batches) == 1:
            return [self._sift(connection, batches[0])]
        middle = len(batches) // 2
        return self._store_what_can_be(connection, batches[:middle]) + self._store_what_can_be(
            connection, batches[middle:]
        )

    def _sift(self, connection: psycopg.Connection[Any], batch: Batch) -> WriteOutcome:
        """Store the rows of one batch that are not refused."""
        refused = RefusedRows(connection, time.monotonic() + self._seconds / 4)
        cursor = connection.cursor()
        unknown = {
            entry[0].bytes
            for dictionary, entries in (
                (self._resources, batch.resources),
                (self._scopes, batch.scopes),
            )
            for entry in refused.sift(list(entries.items()), partial(dictionary.insert, cursor))
        }
        rejected = 0
        for name, rows_of in _ROWS.items():
            # The last two columns are the ids of resource and scope, in all three tables.
            rows = [row for row in rows_of(batch) if unknown.isdisjoint(row[-2:])]
            rejected += len(rows_of(batch)) - len(rows)
            rejected += len(refused.sift(rows, partial(self._copies[name], cursor)))
        return WriteOutcome(rejected=rejected, reason=refused.reason)

    def _forget_insertions(self) -> None:
        self._resources.rolled_back()
        self._scopes.rolled_back()


def _unavailable(error: Exception) -> StorageUnavailable:
    refusal = getattr(error, "orig", None) or error
    # The first line: what follows may repeat what was sent.
    said = str(refusal).splitlines() or [type(error).__name__]
    kind = StorageFull if isinstance(refusal, psycopg.errors.DiskFull) else StorageUnavailable
    return kind(f"PostgreSQL did not store the records; write them again later: {said[0]}")
