"""More problems than a page has room for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from relayscope.collector.query.problems import MOST
from relayscope.conventions.attributes import MESSAGE_DIRECTION, MESSAGE_KIND, MESSAGE_ODD
from relayscope.storage import Writer, create_engine, rows
from tests.storage.samples import PAST, batch, log

if TYPE_CHECKING:
    from tests.fix_page import OpenPage

BEGIN = datetime.fromtimestamp(PAST // 10**9, UTC)


@pytest.fixture(scope="module", autouse=True)
def _stored(shared_database_url: str) -> None:
    attributes = rows.jsonb(
        {MESSAGE_ODD: "not_mcp", MESSAGE_KIND: "request", MESSAGE_DIRECTION: "sent"}
    )
    engine = create_engine(shared_database_url)
    writer = Writer(engine)
    for number in range(MOST + 10):
        at = PAST + (0 if number else -(10**12))
        records = [log("x", at=at, severity_number=13, attributes=attributes)]
        writer.write([batch(service=f"one of many {number}", logs=records)])
    writer.close()
    engine.dispose()


def test_problems_say_that_there_may_be_more(open_page: OpenPage) -> None:
    """A reader of "all 50" would take those for all; fewer are told without that."""

    def shown(*, since: timedelta, until: timedelta) -> str:
        interval = f"since={BEGIN + since:%FT%TZ}&until={BEGIN + until:%FT%TZ}"
        return open_page(f"/problems?{interval}").inner_text("main")

    many = shown(since=timedelta(minutes=-1), until=timedelta(minutes=1))
    assert f"{MOST} of each kind are shown at most; there may be more of: " in many
    assert "odd messages. Choose less time." in many
    few = shown(since=timedelta(hours=-1), until=timedelta(minutes=-1))
    assert "one of many 0" in few
    assert "there may be more" not in few
