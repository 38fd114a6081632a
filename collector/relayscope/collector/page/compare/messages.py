"""Two messages, and in what they differ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psycopg.rows import dict_row

from relayscope.collector.page.behind import Statement, behind
from relayscope.collector.page.errors import NotShown, WrongAsk
from relayscope.collector.query.lookback import windows
from relayscope.collector.query.named_query import in_our_words
from relayscope.collector.query.queries import query
from relayscope.collector.text.printable import one_line

if TYPE_CHECKING:
    from collections.abc import Sequence

    import psycopg


@dataclass(frozen=True, slots=True)
class Compared:
    """Two messages, and in what they differ.

    Attributes:
        left: One, as it is stored.
        right: The other.
        differences: Columns of `message_diff`; empty also where a text was not recorded.
        statements: The SQL behind it.
    """

    left: dict[str, Any]
    right: dict[str, Any]
    differences: Sequence[dict[str, Any]]
    statements: Sequence[Statement]


def compared(connection: psycopg.Connection[Any], left: str, right: str) -> Compared:
    """Find two messages by their ids, and compare them.

    Raises:
        WrongAsk: One of the two is no id of a message.
        NotShown: One of them is not stored.
    """
    ours, theirs = _message(connection, left), _message(connection, right)
    differences: Sequence[dict[str, Any]] = ()
    # By where they are: their texts may be long, and PostgreSQL has them.
    asked = _place("left", left, ours) | _place("right", right, theirs)
    if ours["body"] is not None and theirs["body"] is not None:
        differences = _rows(connection, "difference_of_messages", asked)
    return Compared(ours, theirs, differences, behind(asked, "difference_of_messages"))


def text(connection: psycopg.Connection[Any], message_id: str) -> str:
    """Find the text of a message.

    Raises:
        WrongAsk: It is no id of a message.
        NotShown: It is not stored, or without its text.
    """
    found = _message(connection, message_id)["body"]
    if found is None:
        raise NotShown(f"the text of {one_line(message_id)} was not recorded")
    return str(found)


def _place(side: str, message_id: str, message: dict[str, Any]) -> dict[str, Any]:
    found = _parts(message_id) | {"time": message["time"]}
    return {f"{side}_{name}": value for name, value in found.items()}


def _parts(message_id: str) -> dict[str, Any]:
    channel, _, sequence = message_id.rpartition("/")
    if not channel or not sequence.isascii() or not sequence.isdigit() or "\0" in channel:
        raise WrongAsk(f"{one_line(message_id)} is no id of a message")
    return {"channel": channel, "sequence": int(sequence[:18])}


def _message(connection: psycopg.Connection[Any], message_id: str) -> dict[str, Any]:
    parts = _parts(message_id)
    for window in windows(connection, "newest_records"):
        if rows := _rows(connection, "message_of_id", parts | window._asdict()):
            return rows[0]
    raise NotShown(f"no message {one_line(message_id)} is stored")


def _rows(
    connection: psycopg.Connection[Any], name: Any, asked: dict[str, Any]
) -> list[dict[str, Any]]:
    with in_our_words(), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(name), asked).fetchall()
