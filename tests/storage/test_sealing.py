"""Sealing: small, found by its text, and not a row lost or doubled."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from relayscope.conventions.attributes import (
    CHANNEL_ID,
    CHANNEL_SEQUENCE,
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    MESSAGE_SIZE,
    PEER,
    RPC_RESPONSE_STATUS_CODE,
)
from relayscope.conventions.events import EVENT_MESSAGE
from relayscope.storage import RetentionClass, Sealer, Segment, Writer, alone, rows
from tests.examples import examples
from tests.storage.samples import NOW, batch, log, point, span

if TYPE_CHECKING:
    from collections.abc import Iterator

    from relayscope.storage import Row

DAY: Final = 86_400 * 10**9
PAST: Final = NOW - 3 * DAY
CLASSES: Final = (
    RetentionClass("errors", errors=True),
    RetentionClass("relay", components=("relay",)),
)
VIEWS: Final = ("every_span", "every_log", "every_point")


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """A writer into the fresh database."""
    writer = Writer(engine)
    yield writer
    writer.close()


def contents(engine: Engine) -> dict[str, list[str]]:
    """Every row of every signal, with all its columns, as text."""
    with engine.connect() as connection:
        return {
            view: sorted(
                connection.scalars(
                    text(f"select record::text from relayscope_store.{view} as record")  # noqa: S608  # Our own names.
                )
            )
            for view in VIEWS
        }


def messages(count: int, at: int = PAST) -> list[Row]:
    """Messages that differ in all that a sealed record keeps apart."""
    return [
        log(
            f'{{"jsonrpc":"2.0","id":{number},"word":"w{number}x"}}',
            at=at + number * 1_000_001,
            severity_number=17 if number % 10 == 0 else 1,
            severity_text="ERROR" if number % 10 == 0 else None,
            observed_time=rows.time(at)[0] if number % 3 else None,
            observed_nano=7 if number % 3 else None,
            attributes=rows.jsonb(
                {
                    PEER: f"127.0.0.1:{number % 5}",
                    MESSAGE_DIRECTION: "sent",
                    MESSAGE_KIND: "request",
                    MESSAGE_SIZE: number,
                    CHANNEL_ID: "c1",
                    CHANNEL_SEQUENCE: number,
                    JSONRPC_REQUEST_ID: str(number),
                    MCP_METHOD_NAME: "tools/call",
                    GEN_AI_TOOL_NAME: f"tool{number % 7}",
                    RPC_RESPONSE_STATUS_CODE: "-32601" if number % 4 else "none",
                }
            ),
        )
        for number in range(count)
    ]


def test_every_record_reads_as_before(engine: Engine, writer: Writer) -> None:
    """All columns of all signals are the same, to the nanosecond, before and after."""
    for service in ("relay", "backend"):
        writer.write(
            [
                batch(
                    service=service,
                    logs=messages(300),
                    spans=[span(start=PAST + n, status_code=n % 3) for n in range(50)],
                    points=[point(at=PAST + n) for n in range(20)],
                )
            ]
        )
    before = contents(engine)
    sealed = list(Sealer(engine, CLASSES).seal(quiet=False))
    assert {each.name.split("_20")[0]: each.rows for each in sealed} == {
        "span": 100,
        "log": 600,
        "metric_point": 40,
    }
    assert contents(engine) == before
    with engine.connect() as connection:
        for table in ("span", "log", "metric_point"):
            assert connection.scalar(text(f"select count(*) from relayscope_store.{table}")) == 0  # noqa: S608  # Our own names.


_BODIES: Final = st.none() | st.text(st.characters(exclude_characters="\0", codec="utf-8"))
# The sanitizer leaves no integer that does not fit into 64 bits.
_INTEGERS: Final = st.integers(min_value=-(2**63), max_value=2**63 - 1)
_JSON: Final = st.none() | st.dictionaries(st.just("k"), _INTEGERS | st.none())


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
    max_examples=examples(10),
)
@given(records=st.lists(st.tuples(_BODIES, _JSON, st.booleans()), min_size=1, max_size=140))
def test_whatever_a_record_holds_survives(
    engine: Engine, writer: Writer, records: list[tuple[Any, Any, bool]]
) -> None:
    """Texts, JSON, nothing, and records without a trace come out of their chunk as they went in."""
    with engine.begin() as connection:
        connection.execute(text("truncate relayscope_store.log, relayscope_store.log_sealed,"
                                " relayscope_store.log_chunk"))  # fmt: skip
    writer.write(
        [
            batch(
                logs=[
                    log(
                        body,
                        at=PAST,
                        body_json=None if value is None else rows.jsonb(value),
                        trace_id=None if untraced else os.urandom(16),
                        span_id=None if untraced else os.urandom(8),
                        event_name=None if untraced else EVENT_MESSAGE,
                    )
                    for body, value, untraced in records
                ]
            )
        ]
    )
    before = contents(engine)
    # Below ten thousand late rows nothing is sealed again: make it forget that it has.
    with engine.begin() as connection:
        connection.execute(text("update relayscope_store.segment set to_time = now()"))
    assert [each.rows for each in Sealer(engine).seal(quiet=False)] == [len(records)]
    assert contents(engine) == before


def test_large_records_share_no_chunk(engine: Engine, writer: Writer) -> None:
    """A chunk stays small enough to be read for one record, however large records are."""
    writer.write([batch(logs=[log(os.urandom(150_000).hex(), at=PAST + n) for n in range(6)])])
    list(Sealer(engine).seal(quiet=False))
    with engine.connect() as connection:
        lengths = connection.scalars(
            text("select cardinality(body) from relayscope_store.log_chunk")
        ).all()
    assert sum(lengths) == 6
    assert max(lengths) <= 2


def test_the_present_is_not_sealed(engine: Engine, writer: Writer) -> None:
    """Today is written to, and yesterday is not past for as long as `after` says."""
    writer.write([batch(logs=[log(), log(at=NOW - DAY)])])
    assert list(Sealer(engine, after=timedelta(days=2)).seal(quiet=False)) == []


def test_only_the_quiet_is_sealed(engine: Engine, writer: Writer) -> None:
    """A partition is built when nobody has written to it between two looks."""
    sealer = Sealer(engine)
    writer.write([batch(logs=messages(10))])
    assert list(sealer.seal()) == []
    writer.write([batch(logs=messages(5, PAST + 10**9))])
    wait_for_statistics(engine, 15)
    assert list(sealer.seal()) == []
    assert [each.rows for each in sealer.seal()] == [15]


def wait_for_statistics(engine: Engine, inserted: int) -> None:
    """PostgreSQL counts insertions a moment after their commit."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with engine.connect() as connection:
            counted = connection.scalar(
                text("select sum(n_tup_ins) from pg_stat_user_tables where relname like 'log_2%'")
            )
        if counted == inserted:
            return
        time.sleep(0.1)
    raise AssertionError("PostgreSQL has not counted the rows")


def test_late_rows_are_found_beside_the_sealed(engine: Engine, writer: Writer) -> None:
    """What comes after sealing is read and searched, too, and sealed when there is much of it."""
    writer.write([batch(logs=messages(100))])
    list(Sealer(engine).seal(quiet=False))
    writer.write([batch(logs=[log("late needle", at=PAST + 5)])])
    before = contents(engine)
    assert len(before["every_log"]) == 101
    assert found(engine, "late needle") == 1
    assert list(Sealer(engine).seal(quiet=False)) == []
    writer.write([batch(logs=[log(f"late {n}", at=PAST + n) for n in range(10_000)])])
    before = contents(engine)
    assert [each.rows for each in Sealer(engine).seal(quiet=False)] == [10_001]
    assert contents(engine) == before
    assert found(engine, "late needle") == 1


def found(engine: Engine, needle: str, **bounds: Any) -> int:
    """How many records `search` finds."""
    with engine.connect() as connection:
        return len(
            connection.execute(
                text("select * from relayscope.search(:needle, most => 50)"), {"needle": needle}
            ).all()
        )


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


_SEAL_FOR_EVER: Final = """
import sys
from relayscope.storage import Sealer, create_engine
print("begins", flush=True)
for sealed in Sealer(create_engine(sys.argv[1])).seal(quiet=False):
    print(sealed.name, flush=True)
print("ended", flush=True)
"""


def test_killed_sealers_leave_nothing_behind(
    engine: Engine, database_url: str, writer: Writer
) -> None:
    """Killed at any moment, again and again, they lose and double no row, and the last one ends."""
    for day in (3, 4, 5):
        writer.write(
            [batch(logs=messages(1_500, NOW - day * DAY), spans=[span(start=NOW - day * DAY)])]
        )
    before = contents(engine)
    delay = 0.2
    while True:
        sealer = subprocess.Popen(
            [sys.executable, "-c", _SEAL_FOR_EVER, database_url], stdout=subprocess.PIPE, text=True
        )
        assert sealer.stdout is not None
        assert sealer.stdout.readline() == "begins\n"
        time.sleep(delay)
        sealer.send_signal(signal.SIGKILL)
        said = sealer.communicate()[0]
        assert contents(engine) == before
        if said.endswith("ended\n"):
            break
        delay += 0.25
    # Its locks are gone with its connection, which takes PostgreSQL a moment to see.
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with alone(engine) as connection:
            if connection is not None:
                assert Segment.all(connection, "building") == []
                break
        time.sleep(0.1)
    assert contents(engine) == before
    with engine.connect() as connection:
        tables = connection.scalar(
            text("select count(*) from pg_class where relname ~ '^log_chunk_[0-9]+$'")
        )
        segments = connection.scalar(
            text("select count(*) from relayscope_store.segment where signal = 'log'")
        )
    assert tables == segments == 3


def test_one_seals_at_a_time(engine: Engine, writer: Writer) -> None:
    """A second sealer has nothing to do, and harms nothing."""
    writer.write([batch(logs=messages(10))])
    with alone(engine) as connection:
        assert connection is not None
        assert list(Sealer(engine).seal(quiet=False)) == []
    assert [each.rows for each in Sealer(engine).seal(quiet=False)] == [10]


def test_nobody_waits_for_a_sealer_that_waits_for_a_reader(
    engine: Engine, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody reads the partition, it is not exchanged, and late rows are still stored."""
    monkeypatch.setattr("relayscope.storage.sealing.sealer._EXCHANGE_SECONDS", 2.0)
    writer.write([batch(logs=messages(100))])
    slowest = 0.0
    with engine.begin() as reader:
        reader.execute(text("select count(*) from relayscope_store.log"))
        sealed: list[object] = []
        thread = threading.Thread(target=lambda: sealed.extend(Sealer(engine).seal(quiet=False)))
        thread.start()
        while thread.is_alive():
            began = time.monotonic()
            writer.write([batch(logs=[log("late", at=PAST)])])
            slowest = max(slowest, time.monotonic() - began)
        thread.join()
    assert sealed == []
    assert slowest < 1.0
    before = contents(engine)
    assert len(list(Sealer(engine).seal(quiet=False))) == 1
    assert contents(engine) == before


def test_rows_that_come_while_it_is_built_are_not_lost(
    engine: Engine, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that was not copied keeps the partition from being emptied."""
    writer.write([batch(logs=messages(100))])
    index = Segment.add_indexes

    def write_meanwhile(segment: Segment, connection: psycopg.Connection[Any]) -> None:
        writer.write([batch(logs=[log("meanwhile", at=PAST)])])
        index(segment, connection)

    monkeypatch.setattr(Segment, "add_indexes", write_meanwhile)
    assert list(Sealer(engine).seal(quiet=False)) == []
    monkeypatch.undo()
    assert len(contents(engine)["every_log"]) == 101
    assert [each.rows for each in Sealer(engine).seal(quiet=False)] == [101]
    assert found(engine, "meanwhile") == 1
