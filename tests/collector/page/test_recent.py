"""The time of a page whose address says none."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from relayscope.collector.page.reader import Reader
from relayscope.collector.page.recent import recent
from tests.collector.page.conftest import moved
from tests.collector.reading import samples

if TYPE_CHECKING:
    from relayscope.collector.page.interval import Interval


def taken(url: str) -> Interval:
    """Return the time that a page of that database is about."""

    async def ask() -> Interval:
        reader = Reader((url,))
        try:
            return await recent(reader, {})
        finally:
            reader.close()

    return asyncio.run(ask())


def test_where_very_much_has_just_come_less_time_is_shown(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As much as has the newest record; and it is told of which time it is a part."""
    two_minutes_ago = time.time_ns() - samples.START - 120 * 10**9
    samples.store(database_url, *moved(*samples.relayed_call(), two_minutes_ago))
    usual = taken(database_url)
    assert (usual.given_since, usual.instead_of) == ("15m", "")
    monkeypatch.setattr("relayscope.collector.page.recent._MUCH", 3)
    shorter = taken(database_url)
    assert (shorter.given_since, shorter.instead_of) == ("5m", "15m")
