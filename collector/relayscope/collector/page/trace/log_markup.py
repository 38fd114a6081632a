"""The lines of the log as HTML, made without a template as those of the waterfall are."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from relayscope.collector.page.trace.waterfall_markup import trouble
from relayscope.collector.page.words import escaped

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable

    from relayscope.collector.page.trace.address import Address
    from relayscope.collector.page.trace.log import Line


def log_markup(
    lines: Iterable[Line],
    address: Address,
    found: Container[str],
    colour: Callable[[str], str],
) -> Markup:
    """Write the items of the list of lines.

    Args:
        lines: From the top down.
        address: What the page shows.
        found: The names of what was looked for.
        colour: Gives the class of a component.
    """
    chooses = escaped(address.choosing)
    parts: list[str] = []
    for row, since in lines:
        is_found = " found" if row.name in found else ""
        is_current = ' aria-current="true"' if row.name == address.at else ""
        parts.append(
            f'<li class="{row.severity}{is_found}">\n'
            f'<a class="row {colour(row.component)}"'
            f' href="{chooses}at={quote(row.name)}" data-chooses{is_current}>\n'
            f'<span class="when">{row.time}</span><span class="since">{since}</span>'
            f'<span class="who">{escaped(row.component)}</span>'
            f'<span class="sign">{row.sign or "▪"}</span>\n'
            f'<span class="what"><b>{escaped(row.label)}</b>{trouble(row)}'
            f' <span class="said">{escaped(row.said)}</span></span>\n</a>\n</li>\n'
        )
    return Markup("".join(parts))  # noqa: S704  # what telemetry says is escaped
