"""Sealed records are found by their text, their attributes and by an index."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, text

from relayscope.conventions.attributes import DELIVERY_ENDED
from relayscope.storage import Sealer, Writer, rows
from tests.storage.samples import DAY, NOW, PAST, batch, found, log, messages

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """A writer into the fresh database."""
    writer = Writer(engine)
    yield writer
    writer.close()


def test_text_is_found_wherever_it_is(engine: Engine, writer: Writer) -> None:
    """Sealed or not, in any letters, with what LIKE would take for a pattern; newest first."""
    needles = ["w7x", "100%_sure\\", "日本語のテキスト", "ord-12"]
    for at in (PAST, NOW - 10**9):
        writer.write([batch(logs=[*messages(200, at), *(log(f"a {n} b", at=at) for n in needles)])])
    list(Sealer(engine).seal(quiet=False))
    assert {needle: found(engine, needle) for needle in needles} == dict.fromkeys(needles, 2) | {
        "w7x": 4
    }
    assert found(engine, "100__sure") == 0
    with engine.connect() as connection:
        times = connection.scalars(
            text("select time from relayscope.search('jsonrpc', most => 300)")
        ).all()
    assert len(times) == 300
    assert times == sorted(times, reverse=True)


def test_attributes_are_found_wherever_they_are(engine: Engine, writer: Writer) -> None:
    """By index, and those that no index has, by reading."""
    for at in (PAST, NOW - 10**9):
        writer.write([batch(logs=messages(200, at))])
    list(Sealer(engine).seal(quiet=False))
    with engine.connect() as connection:
        for having, expected in (
            ('{"gen_ai.tool.name": "tool3"}', 58),
            ('{"jsonrpc.request.id": "17"}', 2),
            ('{"gen_ai.tool.name": "tool3", "jsonrpc.request.id": "17"}', 2),
            ('{"gen_ai.tool.name": "nothing"}', 0),
        ):
            count = connection.scalar(
                text("select count(*) from relayscope.logs_having(cast(:having as jsonb))"),
                {"having": having},
            )
            assert (having, count) == (having, expected)


def plan_of(engine: Engine, statement: str) -> list[str]:
    """The plan's lines, without costs, as if tables were large."""
    with engine.connect() as connection:
        connection.execute(text("set enable_seqscan = off"))
        return list(connection.scalars(text(f"explain (costs off) {statement}")))


@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("trace_id = '4bf92f35-77b3-4da6-a3ce-929d0e0e4737'", "trace_id_idx"),
        ("true order by time desc limit 10", "time_idx"),
        ("severity_number >= 17 order by time desc limit 10", "time_idx"),
    ],
)
def test_records_are_found_by_an_index(
    engine: Engine, writer: Writer, condition: str, index: str
) -> None:
    """R22: other days are pruned, rows and chunks are found by an index, nothing is read whole."""
    for day in (3, 4, 5):
        writer.write([batch(logs=messages(300, NOW - day * DAY))])
    list(Sealer(engine).seal(quiet=False))
    with engine.connect() as connection:
        middle = connection.execute(
            text("select id, from_time, to_time from relayscope_store.segment order by from_time")
        ).all()[1]
    plan = "\n".join(
        plan_of(
            engine,
            f"select body from relayscope.logs where time >= '{middle.from_time}'"  # noqa: S608  # Our own.
            f" and time < '{middle.to_time}' and {condition}",
        )
    )
    assert re.search(
        rf"on log_sealed_{middle.id}_{index}|{index}\d* on log_sealed_{middle.id} ", plan
    ), plan
    assert set(re.findall(r"on log_sealed_(\d+)", plan)) == {str(middle.id)}
    assert "Seq Scan on log_sealed" not in plan
    assert "Seq Scan on log_chunk" not in plan


def test_texts_and_attributes_have_an_index(engine: Engine, writer: Writer) -> None:
    """R22: what `search` and `logs_having` ask of a segment is found by index, by time, too."""
    writer.write([batch(logs=messages(3000))])
    list(Sealer(engine).seal(quiet=False))
    chunks = (
        "select chunk from relayscope_store.log_chunk"
        " where first_time < 'infinity' and last_time >= '-infinity' and"
    )
    by_text = plan_of(engine, f"{chunks} relayscope_store.texts(body, body_json) like '%w77x%'")
    by_attribute = plan_of(
        engine, f"{chunks} relayscope_store.findable(attributes) @> '[{{\"a\": 1}}]'"
    )
    for plan, expression in ((by_text, "texts"), (by_attribute, "findable")):
        assert any(
            "Bitmap Index Scan on log_chunk_" in line and expression in line for line in plan
        )
        assert any(
            line.strip().startswith("Index Cond:") and expression in line and "last_time" in line
            for line in plan
        ), plan


def test_who_has_ended_is_found_by_an_index(engine: Engine, writer: Writer) -> None:
    """R22: of all that is stored, sealed or not, only what says so is read."""
    last_word = {
        "event_name": "relayscope.delivery",
        "attributes": rows.jsonb({DELIVERY_ENDED: True}),
    }
    for service, at, said in (
        ("sealed", PAST, last_word),
        ("live", NOW, last_word),
        ("running", PAST, {}),
    ):
        writer.write(
            [batch(service=service, logs=[*messages(300, at), log(at=at + 10**9, **said)])]
        )
    list(Sealer(engine).seal(quiet=False))
    with engine.connect() as connection:
        known = connection.execute(
            text("select component, bool_and(unknown_since is null) from delivery() group by 1")
        )
        assert dict(map(tuple, known)) == {"sealed": True, "live": True, "running": False}
    plan = "\n".join(plan_of(engine, "select * from relayscope_store.ended_process"))
    assert re.search(r"on log_sealed_\d+_shape_idx|shape_idx\d* on log_sealed_\d+ ", plan), plan
    assert re.search(r"log_\d{4}_\d\d_\d\d_resource_id_idx", plan), plan
    assert "Seq Scan on log_sealed" not in plan
    assert "log_chunk" not in plan
