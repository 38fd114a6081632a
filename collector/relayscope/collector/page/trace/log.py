"""The log: everything in the order of time, by the clock of all."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from relayscope.collector.text.quantities import duration_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from relayscope.collector.page.trace.waterfall import Row


class Line(NamedTuple):
    """A row of the waterfall, and how long after the one before it was."""

    row: Row
    since: str


def log(rows: Iterable[Row]) -> list[Line]:
    """Put rows in the order of time."""
    lines: list[Line] = []
    before: int | None = None
    for row in sorted(rows, key=lambda row: row.at):
        since = "" if before is None else f"+{duration_text(row.at - before)}"
        lines.append(Line(row, since))
        before = row.at
    return lines
