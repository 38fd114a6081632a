"""The time that a page is about, from its address: `?since=1h`, `?since=...&until=...`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

import click

from relayscope.collector.page.errors import WrongAsk
from relayscope.collector.query.lookback import LATEST
from relayscope.collector.text.times import FORMS, moment

if TYPE_CHECKING:
    from collections.abc import Mapping

CHOICES: Final = {
    "1m": "minute",
    "5m": "5 minutes",
    "15m": "15 minutes",
    "1h": "hour",
    "6h": "6 hours",
    "1d": "day",
    "7d": "7 days",
    "30d": "30 days",
}
"""The offered lengths, as `--since` takes them, and in words after `the last`."""

_ZONE: Final = re.compile(r"(:\d\d(?:\.\d+)?) (\d\d:?\d\d)$")


@dataclass(frozen=True, slots=True)
class Interval:
    """Time from `since` until before `until`.

    Attributes:
        since: Its beginning.
        until: Its end; `LATEST` where it has none.
        given_since: As the address says it, or as is taken where it says nothing.
        given_until: As the address says it; empty where it says nothing.
        instead_of: The choice that was not taken by itself, because there is too much in it.
    """

    since: datetime
    until: datetime
    given_since: str
    given_until: str
    instead_of: str = ""

    @property
    def query(self) -> str:
        """The part of an address for this time: `since=1h`."""
        return urlencode(self.parameters)

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of an address for this time, by name."""
        given = {"since": self.given_since, "until": self.given_until}
        return {name: value for name, value in given.items() if value}

    @property
    def length(self) -> timedelta:
        """Time from `since` to `until`, or to now."""
        return min(self.until, datetime.now(UTC)) - self.since

    @property
    def words(self) -> str:
        """The time in words: `the last hour`."""
        if not self.given_until and self.given_since in CHOICES:
            return f"the last {CHOICES[self.given_since]}"
        end = f" until {self.until:%Y-%m-%d %H:%M} UTC" if self.given_until else ""
        return f"the time since {self.since:%Y-%m-%d %H:%M} UTC{end}"


def interval(query: Mapping[str, str], otherwise: str = "1h") -> Interval:
    """Read the time of a page.

    Args:
        query: The parameters of its address.
        otherwise: From when on, where that says nothing.

    Raises:
        WrongAsk: It says what is no time, or one that ends before it begins.
    """
    since, until = query.get("since") or otherwise, query.get("until", "")
    try:
        read = Interval(
            moment(with_zone(since)),
            moment(with_zone(until)) if until else LATEST,
            since,
            until,
        )
    except click.BadParameter:
        raise WrongAsk(f"the address has a time that is none; it takes {FORMS}") from None
    if read.since >= read.until:
        raise WrongAsk("the time in since is not before that in until: nothing can be of that time")
    return read


def with_zone(text: str) -> str:
    """Give a `+` of a zone back, which an address that was typed has as a space."""
    return _ZONE.sub(r"\1+\2", text.strip())
