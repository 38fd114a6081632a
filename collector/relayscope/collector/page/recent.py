"""The time of a page whose address says none: as little as has what was recorded last."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from relayscope.collector.page.interval import CHOICES, interval
from relayscope.collector.query.lookback import LATEST, up_to
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relayscope.collector.page.interval import Interval
    from relayscope.collector.page.reader import Reader

_TAKEN: Final = tuple(CHOICES)[2:]
"""Those that are taken by themselves: a minute has not much of a story."""

_USUAL: Final = "1h"
"""The time to show if nothing is recorded."""


async def recent(reader: Reader, address: Mapping[str, str]) -> Interval:
    """Return the time that an address says, or the shortest choice that has the newest record.

    Sums over a time take as long as there are records in it, and who comes to look comes for what
    has just happened.

    Raises:
        WrongAsk: The address has a time that is none.
    """
    if address.get("since") or address.get("until"):
        return interval(address)
    (edge,) = await reader.rows(query("newest_records"), {"until": up_to(LATEST), "rows": 1})
    for choice in _TAKEN if edge["time"] else ():
        taken = interval({"since": choice})
        if edge["time"] >= taken.since:
            return taken
    return interval({"since": _USUAL})
