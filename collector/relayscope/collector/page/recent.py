"""The time of a page whose address says none: as little as has what was recorded last."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from relayscope.collector.page.interval import CHOICES, interval
from relayscope.collector.query.lookback import LATEST, Edge, up_to
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relayscope.collector.page.interval import Interval
    from relayscope.collector.page.reader import Reader

_TAKEN: Final = tuple(CHOICES)[2:]
"""Those that are taken by themselves: a minute has not much of a story."""

_SHORTER: Final = ("5m", "1m")
"""Those that are taken where the first of these has too much of it, the longest first."""

_MUCH: Final = 20_000
"""Records that are too much: sums over them and as many spans take half a second."""

_USUAL: Final = "1h"
"""The time to show if nothing is recorded."""


async def recent(reader: Reader, address: Mapping[str, str]) -> Interval:
    """Return the time that an address says, or the shortest choice that has the newest record.

    Sums over a time take as long as there are records in it, and who comes to look comes for what
    has just happened. If very many have just come, it is a shorter one.

    Raises:
        WrongAsk: The address has a time that is none.
    """
    if address.get("since") or address.get("until"):
        return interval(address)
    bound = {"until": up_to(LATEST), "rows": _MUCH}
    (edge,) = await reader.rows(query("newest_records"), bound)
    for choice in _TAKEN if edge["time"] else ():
        taken = interval({"since": choice})
        if edge["time"] >= taken.since:
            return _with_less(taken, Edge(**edge))
    return interval({"since": _USUAL})


def _with_less(taken: Interval, edge: Edge) -> Interval:
    """A shorter time, if there is too much in one; the shortest if that has too much as well."""
    if edge.near is None or edge.near < taken.since:
        return taken
    for choice in _SHORTER:
        less = replace(interval({"since": choice}), instead_of=taken.given_since)
        if edge.time is not None and edge.time >= less.since:
            taken = less
            if edge.near < less.since:
                break
    return taken
