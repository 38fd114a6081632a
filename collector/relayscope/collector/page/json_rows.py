"""The rows of a statement as JSON has them, which is what `--json` prints in a terminal."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, LiteralString

from relayscope.collector.page.list_rows import SECONDS
from relayscope.collector.query import value_loaders
from relayscope.collector.query.named_query import in_our_words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from psycopg import Connection

    from relayscope.collector.page.reader import Reader


async def json_rows(
    reader: Reader,
    statement: LiteralString,
    bound: Mapping[str, object],
    *,
    seconds: float = SECONDS,
) -> Sequence[dict[str, Any]]:
    """Return the rows of a statement, by the names of its columns."""
    return await reader.run(partial(_ask, statement, bound), seconds=seconds)


def _ask(
    statement: LiteralString, bound: Mapping[str, object], connection: Connection[Any]
) -> list[dict[str, Any]]:
    cursor = connection.cursor()
    value_loaders.as_json(cursor.adapters)
    with in_our_words():
        rows = cursor.execute(statement, bound).fetchall()
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in rows]
