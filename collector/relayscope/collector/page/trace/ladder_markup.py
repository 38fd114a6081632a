"""The rows of the ladder as SVG: as a template they took a third of the time of a large page."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from relayscope.collector.page.words import escaped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from relayscope.collector.page.trace.ladder_row import Row


def ladder_markup(rows: Sequence[Row], base: str, at: str, found: frozenset[str]) -> Markup:
    """Write the rows.

    Args:
        rows: From the top down.
        base: The trace's address, ready for `at=`.
        at: The name of what is chosen.
        found: The names of what was looked for.
    """
    chooses = escaped(base)
    current = _current(rows, at)
    return Markup("".join([_row(row, chooses, current, found) for row in rows]))  # noqa: S704  # what telemetry says is escaped


def _current(rows: Sequence[Row], at: str) -> Row | None:
    """Return the row of what is chosen: of a span without a row, that of its request."""
    own = (row for row in rows if at in row.step.names)
    return next(own, None) or next((row for row in rows if at in row.begins), None)


def _row(row: Row, chooses: str, current: Row | None, found: frozenset[str]) -> str:
    names = row.step.names
    colour = "" if row.colour is None else f" k{row.colour}"
    is_found = "" if found.isdisjoint(names) else " found"
    twin = f' data-twin="{quote(names[1])}"' if len(names) > 1 else ""
    begins = f' data-begins="{" ".join(map(quote, row.begins))}"' if row.begins else ""
    is_current = ' aria-current="true"' if row is current else ""
    is_long = " long" if row.is_long else ""
    drawing = (
        f'<path class="shaft" d="{row.shaft}"/><path class="point" d="{row.point}"/>'
        if row.is_arrow
        else f'<path class="note" d="M{row.x - 5} {row.y - 4}l5 -5l5 5l-5 5z"/>'
    )
    marks = "".join(
        [f' <tspan class="{mark.kind}">{escaped(mark.text)}</tspan>' for mark in row.marks]
    )
    said = f' <tspan class="said">{escaped(row.said)}</tspan>' if row.said else ""
    return (
        f'<a class="row{colour} {row.tone}{is_found}" href="{chooses}at={quote(names[0])}"'
        f' data-chooses{twin}{begins}{is_current} aria-label="{escaped(row.spoken)}">\n'
        f'<rect class="hit" x="0" y="{row.y - 20}" width="100%" height="28"/>\n'
        f'<text class="time" x="80" y="{row.y - 1}" text-anchor="end">{row.time}</text>\n'
        f'<text class="since{is_long}" x="160" y="{row.y - 1}" text-anchor="end">'
        f"{row.since}</text>\n{drawing}\n"
        f'<text class="says" x="{row.text_x}" y="{row.y - 5}">'
        f'<tspan class="label">{escaped(row.label)}</tspan>{marks}{said}</text>\n</a>\n'
    )
