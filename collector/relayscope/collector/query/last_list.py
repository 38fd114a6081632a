"""The rows of the list that was shown last, for `relayscope trace 3` and `relayscope diff 2 1`.

It is a file in the user's state folder that nobody else can read or write. Row 1 is the last line
of the list, next to where the user types.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple
from uuid import UUID

import orjson
from platformdirs import user_state_path

from relayscope.collector.query.errors import RowMissing
from relayscope.spool import check_folder, open_own, read_own

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MOST_ROWS: Final = 10_000
"""Rows that are numbered: the last ones of a list."""


class Row(NamedTuple):
    """The trace and the message of a row of a list; null where there is none."""

    trace_id: UUID | None
    message_id: str | None


def remember(rows: Sequence[Row]) -> bool:
    """Keep the rows of a list, the last line first; return whether they are kept.

    Where the folder is not the user's alone, or full, nothing is kept of any list.
    """
    try:
        folder = _folder()
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_folder(folder)
        new = folder / f"last.{os.getpid()}"
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with os.fdopen(open_own(new, flags), "wb") as file:
                file.write(orjson.dumps([tuple(row) for row in rows[:MOST_ROWS]]))
            new.replace(folder / "last")
        finally:
            new.unlink(missing_ok=True)
    except OSError:
        with suppress(OSError):
            (_folder() / "last").unlink(missing_ok=True)
        return False
    return True


def row(number: int) -> Row:
    """The row of that number, counted from the last line, which is 1.

    Raises:
        RowMissing: there is none.
    """
    try:
        check_folder(_folder())
        rows = orjson.loads(read_own(_folder() / "last"))
        known = [_row(*one) for one in rows]
    except (OSError, ValueError, TypeError):
        raise RowMissing(
            "no list was shown in a terminal yet whose rows were kept: give an id"
        ) from None
    if not 1 <= number <= len(known):
        raise RowMissing(f"the last list has {len(known):,} rows, and no row {number}")
    return known[number - 1]


def _row(trace_id: object, message_id: object) -> Row:
    return Row(
        None if trace_id is None else UUID(str(trace_id)),
        None if message_id is None else str(message_id),
    )


def _folder() -> Path:
    # Not the state folder itself, which others make, too, and maybe for a group.
    folder = user_state_path("relayscope", appauthor=False) / "lists"
    if not folder.is_absolute():
        raise FileNotFoundError("the user has no home")
    return folder
