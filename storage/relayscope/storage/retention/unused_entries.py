"""Resources and scopes that no record refers to any more."""

from typing import Any, Final

from psycopg import Connection
from psycopg.sql import SQL, Identifier

from relayscope.storage.tables import SCHEMA

_REFERRING: Final = {
    "resource": (
        "select resource_id from relayscope_store.span"
        " union all select resource_id from relayscope_store.log"
        " union all select resource_id from relayscope_store.metric_point"
        " union all select resource_id from relayscope_store.span_sealed"
        " union all select resource_id from relayscope_store.log_sealed"
        " union all select resource_id from relayscope_store.metric_point_sealed"
    ),
    "scope": (
        "select scope_id from relayscope_store.span"
        " union all select scope_id from relayscope_store.log"
        " union all select scope_id from relayscope_store.metric_point"
        " union all select scope_id from relayscope_store.span_sealed"
        " union all select unnest(scope_id) from relayscope_store.log_chunk"
        " union all select scope_id from relayscope_store.metric_point_sealed"
    ),
}

# A writer remembers for an hour what it has inserted (`Dictionary`), and says so again then: what
# was not seen for a day is in nobody's memory.
_UNUSED: Final = SQL(
    "select id from {table} join relayscope_store.entry_seen using (id)"
    " where seen_at < now() - interval '1 day'"
    " and not exists (select from ({referring}) as record (id) where record.id = {table}.id)"
)
# Who sends one of them at this moment waits for us at `entry_seen` and inserts it anew; or we wait,
# and find that it has been seen.
_FORGET: Final = SQL(
    "with unused as (select id from relayscope_store.entry_seen"
    " where id = any(%s) and seen_at < now() - interval '1 day' for update),"
    " gone as (delete from {table} using unused where {table}.id = unused.id returning {table}.id)"
    " delete from relayscope_store.entry_seen using gone where entry_seen.id = gone.id"
)


def forget_unused(connection: Connection[Any]) -> int:
    """Remove resources and scopes that nothing refers to, and nobody has sent for a day.

    It reads all records once, so it is for when some have been removed.

    Args:
        connection: Of the owner, in no transaction.

    Returns:
        The number of them.

    Raises:
        psycopg.Error: PostgreSQL refused.
    """
    forgotten = 0
    for name, referring in _REFERRING.items():
        names = {"table": Identifier(SCHEMA, name), "referring": SQL(referring)}
        unused = [id_ for (id_,) in connection.execute(_UNUSED.format(**names))]
        if unused:
            forgotten += connection.execute(_FORGET.format(**names), (unused,)).rowcount
    return forgotten
