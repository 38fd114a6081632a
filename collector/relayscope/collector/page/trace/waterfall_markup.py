"""The rows of the waterfall as HTML: as a template they took half of the time of a large page.

A bar's place is a share of the trace's time in thousandths, so that the browser fits it to whatever
width there is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from markupsafe import Markup

from relayscope.collector.page.trace.scale import WHOLE
from relayscope.collector.page.words import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from relayscope.collector.page.trace.address import Address
    from relayscope.collector.page.trace.scale import Scale
    from relayscope.collector.page.trace.waterfall import Row

_SHORT: Final = 10
"""Thousandths from which on a bar can be seen by itself."""

_NEAR_END: Final = 700
"""Thousandths from which on there is no room for a duration behind the bar."""

_NEAR_START: Final = 300
"""Thousandths up to which there is none before it on a narrow page."""

_LEAST: Final = '<rect class="least" x="{x}%" y="8" width="3" height="10" rx="1"/>'
_MARK: Final = '<rect class="mark" x="{}%" y="6" width="1" height="14"/>'.format


def waterfall_markup(
    rows: Iterable[Row],
    scale: Scale,
    address: Address,
    found: Container[str],
    colour: Callable[[str], str],
) -> Markup:
    """Write the items of the list of rows.

    Args:
        rows: From the top down.
        scale: That of the time which is drawn.
        address: What the page shows.
        found: The names of what was looked for.
        colour: Gives the class of a component.
    """
    chooses, folded = escaped(address.choosing), address.folding()
    parts: list[str] = []
    for row in rows:
        severity = f" {row.severity}" if row.severity else ""
        is_found = " found" if row.name in found else ""
        is_current = ' aria-current="true"' if row.name == address.at else ""
        fold = _fold(row, address, folded) if row.what == "span" and row.is_parent else ""
        parts.append(
            f'<li class="d{row.depth}{severity}{is_found}">\n{fold}'
            f'<a class="row {row.what} {colour(row.component)}"'
            f' href="{chooses}at={quote(row.name)}" data-chooses{is_current}>\n'
            f'<span class="what">{_words(row)}</span>\n'
            f'<svg width="100%" height="24" aria-hidden="true">\n'
            f"{_drawing(row, scale)}\n</svg>\n"
            f'<span class="when">{row.time}</span>\n</a>\n</li>\n'
        )
    return Markup("".join(parts))  # noqa: S704  # what telemetry says is escaped


def _fold(row: Row, address: Address, folded: Callable[[str], str]) -> str:
    label = escaped(row.label)
    if row.hidden:
        return (
            f'<a class="fold" data-keeps href="{escaped(address.unfolded(row.name))}"'
            f' aria-label="Open {row.hidden} below {label}">+{row.hidden}</a>\n'
        )
    return (
        f'<a class="fold" data-keeps href="{escaped(folded(row.name))}"'
        f' aria-label="Fold {label}">▾</a>'
    )


def _words(row: Row) -> str:
    who = f'<span class="who">{escaped(row.component)}</span> ' if row.what == "span" else ""
    sign = f'<span class="sign">{row.sign}</span> ' if row.sign else ""
    said = f' <span class="said">{escaped(row.said)}</span>' if row.said else ""
    brief = f' <span class="said">+{row.brief} brief</span>' if row.brief else ""
    return f"{who}{sign}<b>{escaped(row.label)}</b>{trouble(row)}{said}{brief}"


def trouble(row: Row) -> str:
    """The fault of a row, with a sign for how bad it is."""
    if not row.trouble:
        return ""
    return f" <em>{'✗' if row.severity == 'error' else '!'} {escaped(row.trouble)}</em>"


def _drawing(row: Row, scale: Scale) -> str:
    """The contents of the row's SVG."""
    start = scale.place(row.at)
    x = start / 10
    length = 0.0 if row.node is None else round(max(scale.place(row.until) - start, 0), 1)
    if scale.is_zoomed and not length and start in {0, WHOLE}:
        return ""  # What is at an edge of a time that is seen closer is beyond it.
    if row.node is None:
        return f'<circle class="point" cx="{x}%" cy="13" r="3"/>'
    least = _LEAST.format(x=x) if length < _SHORT else ""
    marks = "".join(
        _MARK(scale.place(scale.at(message.time, message.component)) / 10)
        for message in (row.node.messages if row.node.span is not None else ())
    )
    end = start + length
    return (
        f'<rect class="bar" x="{x}%" y="8" width="{length / 10}%" height="10" rx="2"/>'
        f"{least}{marks}{_duration(row.took, start, end)}"
    )


def _duration(took: str, start: float, end: float) -> str:
    """The duration behind the bar, or before it; nowhere if neither has room, as the row has it."""
    if end <= _NEAR_END:
        return f'<text x="{end / 10}%" dx="8" y="17">{took}</text>'
    if start >= _NEAR_START:
        return f'<text x="{start / 10}%" dx="-6" y="17" text-anchor="end">{took}</text>'
    return ""
