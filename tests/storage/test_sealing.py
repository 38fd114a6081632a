"""Sealing: small, found by its text, and not a row lost or doubled."""

from __future__ import annotations

import os
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

from relayscope.conventions.events import EVENT_MESSAGE
from relayscope.storage import RetentionClass, Sealer, Segment, Writer, maintenance_connection, rows
from tests.examples import examples
from tests.storage.samples import DAY, NOW, PAST, batch, found, log, messages, point, span

if TYPE_CHECKING:
    from collections.abc import Iterator


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


def by_trace(engine: Engine) -> list[str]:
    """The log records that have a trace, as `logs_for_trace` gives those of each."""
    with engine.connect() as connection:
        return sorted(
            connection.scalars(
                text(
                    "select record::text from"
                    " (select distinct trace_id from relayscope.logs) as trace"
                    " cross join lateral relayscope.logs_for_trace(trace.trace_id) as record"
                )
            )
        )


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


def test_records_that_are_read_by_the_chunk_are_those_that_are_read_one_by_one(
    engine: Engine, writer: Writer
) -> None:
    """Each with its own time, process and attributes, and within the times of its chunk."""
    for service in ("relay", "backend"):
        writer.write([batch(service=service, logs=messages(300))])
    list(Sealer(engine, CLASSES).seal(quiet=False))
    writer.write([batch(service="late", logs=messages(3))])

    columns = "time, event_name, resource_id, attributes::text"
    with engine.connect() as connection:
        one_by_one, by_the_chunk = (
            sorted(map(tuple, connection.execute(text(f"select {columns} from {view}"))))  # noqa: S608  # Our own names.
            for view in ("relayscope_store.every_log", "relayscope_store.unpacked_log")
        )
        outside = connection.scalar(
            text(
                "select count(*) from relayscope_store.unpacked_log"
                " where time not between first_time and last_time"
            )
        )
    assert len(one_by_one) == 603
    assert by_the_chunk == one_by_one
    assert outside == 0


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
    before, traces = contents(engine), by_trace(engine)
    # Below ten thousand late rows nothing is sealed again: make it forget that it has.
    with engine.begin() as connection:
        connection.execute(text("update relayscope_store.segment set to_time = now()"))
    assert [each.rows for each in Sealer(engine).seal(quiet=False)] == [len(records)]
    assert contents(engine) == before
    assert by_trace(engine) == traces


def test_the_records_of_a_trace_are_read_by_the_chunk(engine: Engine, writer: Writer) -> None:
    """All records of a chunk take no more blocks than one of them; late ones are read, too."""
    few, many = os.urandom(16), os.urandom(16)
    writer.write(
        [
            batch(
                logs=[
                    log(os.urandom(500).hex(), at=PAST + n, trace_id=many if n % 100 else few)
                    for n in range(300)
                ]
            )
        ]
    )
    list(Sealer(engine).seal(quiet=False))
    writer.write([batch(logs=[log(at=PAST, trace_id=trace) for trace in (few, many)])])
    blocks = {}
    with engine.connect() as connection:
        for trace in (few, many):
            asked = {"trace": trace.hex()}
            explained = connection.scalar(
                text("explain (analyze, buffers, format json) select * from"
                     " relayscope.logs_for_trace(:trace)"), asked
            )  # fmt: skip
            plan = explained[0]["Plan"]
            blocks[plan["Actual Rows"]] = plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]
            by_chunk, one_by_one = (
                sorted(connection.scalars(text(statement), asked))
                for statement in (
                    "select log::text from relayscope.logs_for_trace(:trace) as log",
                    "select log::text from relayscope.logs as log where trace_id = :trace",
                )
            )
            assert by_chunk == one_by_one
    assert list(blocks) == [4, 298]
    assert blocks[298] < 2 * blocks[4]


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
    """Rows that come after sealing are read and searched, too, and sealed if there are many."""
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
        with maintenance_connection(engine) as connection:
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
    with maintenance_connection(engine) as connection:
        assert connection is not None
        assert list(Sealer(engine).seal(quiet=False)) == []
    assert [each.rows for each in Sealer(engine).seal(quiet=False)] == [10]


def test_who_comes_next_need_not_wait(engine: Engine) -> None:
    """As soon as one has done its work the lock is free, however slowly PostgreSQL lets it go."""
    held = text("select count(*) from pg_locks where locktype = 'advisory'")
    with engine.connect() as other:
        for _ in range(50):
            with maintenance_connection(engine) as connection:
                assert connection is not None
            assert other.execute(held).scalar_one() == 0


def test_nobody_waits_for_a_sealer_that_waits_for_a_reader(
    engine: Engine, writer: Writer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While somebody reads the partition, it is not exchanged, and late rows are still stored."""
    monkeypatch.setattr("relayscope.storage.sealing.sealer._EXCHANGE_SECONDS", 5.0)
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
            time.sleep(0.05)
        thread.join()
    assert sealed == []
    # Much less than the sealer has waited, also where the machine stands still for a moment.
    assert slowest < 4.0
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
