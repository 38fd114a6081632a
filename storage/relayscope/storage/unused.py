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
# was not spoken of for a day is in nobody's memory.
_FORGET: Final = SQL(
    "delete from {table} where seen_at < now() - interval '1 day'"
    " and not exists (select from ({referring}) as record (id) where record.id = {table}.id)"
)


def forget_unused(connection: Connection[Any]) -> int:
    """Remove resources and scopes that nothing refers to, and nobody has sent for a day.

    It reads all records once, so it is for when some have been removed.

    Args:
        connection: Of the owner, in no transaction.

    Returns:
        How many.

    Raises:
        psycopg.Error: PostgreSQL refused.
    """
    return sum(
        connection.execute(
            _FORGET.format(table=Identifier(SCHEMA, name), referring=SQL(referring))
        ).rowcount
        for name, referring in _REFERRING.items()
    )
