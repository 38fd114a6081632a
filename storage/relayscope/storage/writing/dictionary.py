"""Resources and scopes: few rows that many records refer to, each stored once."""

import time
from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from psycopg import Cursor
from psycopg.sql import SQL, Identifier
from sqlalchemy import Table, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from relayscope.storage.batch import Row
from relayscope.storage.tables import SCHEMA

# A process sees a handful; a hostile sender makes up any number. 100,000 ids take about 10 MB.
_MOST_REMEMBERED: Final = 100_000


_REMEMBERED_SECONDS: Final = 3600.0
"""After which everything is inserted once more, so that what is in use is seen to be."""

_SEEN: Final = (
    "insert into relayscope_store.entry_seen as known (id) values (%s) on conflict (id)"
    " do update set seen_at = now() where known.seen_at < now() - interval '1 hour'"
)


class Dictionary:
    """The rows of one small table, inserted when they are new to us.

    What was inserted is remembered only after `committed`, so that a transaction that fails leaves
    no records that refer to nothing.
    """

    def __init__(self, table: Table) -> None:
        self._insert = SQL("insert into {} ({}) values ({}) on conflict do nothing").format(
            Identifier(SCHEMA, table.name),
            SQL(", ").join(Identifier(column.name) for column in table.columns),
            SQL(", ").join(_value(column.type) for column in table.columns),
        )
        self._began = time.monotonic()
        self._stored: set[UUID] = set()
        self._inserted: set[UUID] = set()

    def insert(self, cursor: Cursor[Any], entries: Iterable[tuple[UUID, Row]]) -> None:
        """Insert the entries that are not known to be stored.

        Raises:
            psycopg.Error: PostgreSQL refused one of them; none is inserted.
        """
        if time.monotonic() - self._began > _REMEMBERED_SECONDS:
            self._stored.clear()
            self._began = time.monotonic()
        new = {id_: row for id_, row in entries if id_ not in self._stored}
        if new:
            # In order, so that two who insert the same ones wait for each other in one direction.
            # First that it is seen: whoever removes unused entries is waited for here.
            cursor.executemany(_SEEN, [(id_,) for id_ in sorted(new)])
            cursor.executemany(self._insert, [new[id_] for id_ in sorted(new)])
            self._inserted.update(new)

    def committed(self) -> None:
        """Remember what was inserted since the last time."""
        if len(self._stored) + len(self._inserted) > _MOST_REMEMBERED:
            self._stored.clear()
        self._stored |= self._inserted
        self._inserted.clear()

    def forget(self) -> None:
        """Insert everything once more: it may be another database now."""
        self._stored.clear()
        self._inserted.clear()

    def rolled_back(self) -> None:
        """Forget what was inserted since the last time."""
        self._inserted.clear()


def _value(type_: object) -> SQL:
    """Turn the form that binary COPY takes into a value of the column."""
    if isinstance(type_, Uuid):
        return SQL("encode(%s, 'hex')::uuid")
    if isinstance(type_, JSONB):
        # Without the byte in front, which is the version of the binary form.
        return SQL("convert_from(substr(%s, 2), 'UTF8')::jsonb")
    return SQL("%s")
