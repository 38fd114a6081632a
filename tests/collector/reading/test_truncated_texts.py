"""Texts that are only beginnings, in the JSON of a trace."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg

from relayscope.conventions.attributes import BODY_SHA256, MESSAGE_SHA256
from relayscope.storage import Writer, rows
from tests.collector.reading.problems import printed
from tests.storage.samples import NOW, TRACE, batch, log

if TYPE_CHECKING:
    from sqlalchemy import Engine


def test_a_trace_says_which_texts_were_cut(database_url: str, engine: Engine) -> None:
    """As the view `messages` does, wherever they were cut."""
    said: list[tuple[str | None, dict[str, Any]]] = [
        ("all of it", {}),
        ("the beg", {MESSAGE_SHA256: "00"}),
        ("the beg", {BODY_SHA256: "00"}),
        ("the beg", {"relayscope.normalized": ["truncated"]}),
        ("all of it", {"relayscope.normalized": ["surrogates"]}),
        (None, {MESSAGE_SHA256: "00"}),
    ]
    writer = Writer(engine)
    writer.write(
        [
            batch(
                logs=[
                    log(body, at=NOW + place * 1000, attributes=rows.jsonb(attributes))
                    for place, (body, attributes) in enumerate(said)
                ]
            )
        ]
    )
    writer.close()
    trace = json.loads(printed("trace", database_url, TRACE.hex, "--json"))
    with psycopg.connect(database_url) as connection:
        of_view = connection.execute(
            "select truncated from relayscope.messages order by time"
        ).fetchall()
    assert [one["truncated"] for one in trace["messages"]] == [cut for (cut,) in of_view]
    assert [cut for (cut,) in of_view] == [False, True, True, True, False, False]
