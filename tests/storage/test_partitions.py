"""Partitions: a day's rows together, no row refused for its time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, make_url, text

from relayscope.storage import WriteOutcome, Writer, create_engine, tables
from relayscope.storage.partitions import Partitions
from tests.fix_programs import eventually
from tests.storage.samples import NOW, batch, log, point, span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DAY: Final = 86_400_000_000_000

_WAITS: Final = text(
    "select exists (select from pg_locks join pg_database on pg_database.oid = pg_locks.database"
    " where datname = current_database() and not granted)"
)


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """A writer into the fresh database."""
    writer = Writer(engine)
    yield writer
    writer.close()


@pytest.fixture
def connection(engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """A connection that is in no transaction."""
    raw = engine.raw_connection()
    driver = raw.driver_connection
    assert isinstance(driver, psycopg.Connection)
    yield driver
    raw.close()


def today() -> int:
    """Return the number of the current UTC day."""
    return (datetime.now(UTC).date() - date(2000, 1, 1)).days


def partition(day: int) -> str:
    """Return the name of the log table's partition for a day."""
    return f"log_{date(2000, 1, 1) + timedelta(days=day):%Y_%m_%d}"


def places(engine: Engine) -> dict[str, int]:
    """Return how many log records each partition holds, if any."""
    with engine.connect() as connection:
        rows = connection.execute(
            text(
                "select relname, count(*) from relayscope_store.log"
                " join pg_class on pg_class.oid = log.tableoid group by relname"
            )
        )
        return dict(map(tuple, rows))


def test_each_day_has_its_own(engine: Engine, writer: Writer) -> None:
    """Rows are found in the partition of their UTC day; the bounds are exact."""
    midnight = NOW - NOW % DAY
    times = [midnight - 1, midnight, midnight + DAY - 1, midnight + DAY]
    writer.write([batch(logs=[log(at=time) for time in times])])
    day = today()
    assert places(engine) == {partition(day - 1): 1, partition(day): 2, partition(day + 1): 1}


def test_the_width_can_be_chosen(engine: Engine) -> None:
    """Three hours, or a week, hold together what is in them."""
    noon = NOW - NOW % DAY + DAY // 2
    for width, times in (
        (timedelta(hours=3), [noon, noon + DAY // 8 - 1, noon + DAY // 8]),
        (timedelta(days=7), [noon - 20 * DAY]),
    ):
        writer = Writer(engine, partition_width=width)
        writer.write([batch(logs=[log(at=time) for time in times])])
        writer.close()
    started = datetime.fromtimestamp(noon // 10**9, UTC)
    week = date(2000, 1, 1) + timedelta(days=(today() - 20) // 7 * 7)
    assert places(engine) == {
        f"log_{started:%Y_%m_%d}_1200": 2,
        f"log_{started:%Y_%m_%d}_1500": 1,
        f"log_{week:%Y_%m_%d}": 1,
    }


def test_another_width_takes_what_is_free(engine: Engine, writer: Writer) -> None:
    """A week around a day that is there already becomes what is before it and what is after it."""
    week = today() // 7 * 7 - 14
    middle = NOW - NOW % DAY - (today() - week - 3) * DAY
    writer.write([batch(logs=[log(at=middle)])])
    weekly = Writer(engine, partition_width=timedelta(days=7))
    weekly.write([batch(logs=[log(at=middle - DAY), log(at=middle), log(at=middle + DAY)])])
    weekly.close()
    assert places(engine) == {
        partition(week): 1,
        partition(week + 3): 2,
        partition(week + 4): 1,
    }


def test_all_signals_have_them(engine: Engine, writer: Writer) -> None:
    """Spans go by their start, logs and metric points by their time."""
    writer.write([batch(spans=[span()], logs=[log()], points=[point()])])
    with engine.connect() as connection:
        for table in tables.PARTITIONED:
            assert connection.scalar(
                text(f"select tableoid::regclass::text from {table.fullname}")  # noqa: S608  # Our own names.
            ).endswith(partition(today()).removeprefix("log"))


@pytest.mark.parametrize(
    "at",
    [0, NOW - 40 * DAY, NOW + 10 * DAY, 2**64 - 1],
    ids=["1970", "long past", "far ahead", "2554"],
)
def test_impossible_times_share_one(engine: Engine, writer: Writer, at: int) -> None:
    """Nobody can make us create partitions without end."""
    assert writer.write([batch(logs=[log(at=at)])]) == [WriteOutcome()]
    assert places(engine) == {"log_default": 1}


def test_rows_move_into_a_partition_that_is_made_later(
    engine: Engine, writer: Writer, connection: psycopg.Connection[Any]
) -> None:
    """A day that has rows in DEFAULT gets its partition all the same, with those rows."""
    writer.write([batch(logs=[log(at=0)])])
    with engine.begin() as other:
        for days in (0, 0, 1):
            other.execute(
                text(
                    "insert into relayscope_store.log select now() - :age, time_nano,"
                    " observed_time, observed_nano, trace_id, span_id, flags, severity_number,"
                    " severity_text, event_name, body, body_json, attributes,"
                    " dropped_attributes_count, resource_id, scope_id"
                    " from relayscope_store.log where time < '1971-01-01'"
                ),
                {"age": timedelta(days=days)},
            )
    assert places(engine) == {"log_default": 4}
    Partitions(tables.log).ensure(connection, {today()})
    assert places(engine) == {"log_default": 2, partition(today()): 2}
    writer.write([batch(logs=[log()])])
    assert places(engine) == {"log_default": 2, partition(today()): 3}


def test_a_long_query_keeps_no_row_out(engine: Engine, writer: Writer) -> None:
    """While somebody reads DEFAULT no partition can be made, and rows are stored there instead."""
    with engine.begin() as reader:
        reader.execute(text("select * from relayscope_store.log_default"))
        assert writer.write([batch(logs=[log()])]) == [WriteOutcome()]
    assert places(engine) == {"log_default": 1}


def test_a_user_who_may_make_none_keeps_no_row_out(database_url: str, engine: Engine) -> None:
    """With the grants of a mere writer the rows are stored in DEFAULT."""
    role = f"{make_url(database_url).database}_writer"
    with engine.begin() as owner:
        owner.exec_driver_sql(
            f"create role {role} login;"
            f" grant usage on schema relayscope_store to {role};"
            f" grant select, insert on all tables in schema relayscope_store to {role};"
            f" grant update on relayscope_store.entry_seen to {role}"
        )
    own = create_engine(
        make_url(database_url).set(username=role).render_as_string(hide_password=False)
    )
    writer = Writer(own)
    assert writer.write([batch(logs=[log()])]) == [WriteOutcome()]
    assert places(engine) == {"log_default": 1}
    writer.close()
    own.dispose()
    with engine.begin() as owner:
        owner.exec_driver_sql(f"drop owned by {role}; drop role {role}")


@contextmanager
def partition_in_the_making(engine: Engine, day: int) -> Iterator[Callable[[], None]]:
    """Make a partition, which is there at the end; give what waits until somebody waits for it."""
    with engine.begin() as maker:
        maker.execute(
            text("select relayscope_store.make_partition('log', :name, :day, :day + '1 day')"),
            {"name": partition(day), "day": datetime(2000, 1, 1, tzinfo=UTC) + timedelta(day)},
        )

        def is_waited_for() -> bool:
            with engine.connect() as connection:
                return bool(connection.scalar(_WAITS))

        yield lambda: eventually(is_waited_for)


@pytest.mark.parametrize("at", [NOW - 40 * DAY, NOW - 50 * DAY], ids=["moves rows", "moves none"])
def test_a_row_on_its_way_into_default_comes_into_the_partition_that_is_made_meanwhile(
    engine: Engine, writer: Writer, at: int
) -> None:
    """It is stored at once, not refused for a state of the database."""
    writer.write([batch(logs=[log(at=NOW - 40 * DAY)])])
    day = today() - (NOW - at) // DAY
    with ThreadPoolExecutor(1) as thread:
        with partition_in_the_making(engine, day) as wait_until_somebody_waits:
            written = thread.submit(writer.write, [batch(logs=[log("late", at=at)])])
            wait_until_somebody_waits()
        assert written.result() == [WriteOutcome()]
    assert partition(day) in places(engine)
    assert sum(places(engine).values()) == 2


def test_rows_that_move_are_found_by_whoever_reads_meanwhile(
    engine: Engine, writer: Writer
) -> None:
    """A reader finds them in DEFAULT or in their partition, never in neither."""
    writer.write([batch(logs=[log(at=NOW - 40 * DAY)])])
    with ThreadPoolExecutor(1) as thread:
        with partition_in_the_making(engine, today() - 40) as wait_until_somebody_waits:
            found = thread.submit(places, engine)
            wait_until_somebody_waits()
        assert found.result() == {partition(today() - 40): 1}


def test_tomorrow_is_prepared(engine: Engine, writer: Writer) -> None:
    """Housekeeping makes partitions before they are needed."""
    writer.prepare_partitions()
    with engine.connect() as connection:
        for table in tables.PARTITIONED:
            for day in (today(), today() + 1):
                name = partition(day).replace("log", f"{tables.SCHEMA}.{table.name}", 1)
                assert connection.scalar(text("select to_regclass(:name)"), {"name": name})


def test_makers_at_the_same_moment_make_each_once(engine: Engine) -> None:
    """They wait for each other, and none fails."""
    together = threading.Barrier(4)
    errors: list[Exception] = []

    def make() -> None:
        raw = engine.raw_connection()
        assert isinstance(raw.driver_connection, psycopg.Connection)
        together.wait()
        try:
            Partitions(tables.log).ensure(raw.driver_connection, {today() - n for n in range(5)})
        except Exception as error:  # noqa: BLE001  # Whatever it is, it is what we look for.
            errors.append(error)
        raw.close()

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    with engine.connect() as connection:
        attached = connection.scalars(
            text(
                "select inhrelid::regclass::text from pg_inherits"
                " where inhparent = 'relayscope_store.log'::regclass"
            )
        ).all()
    assert len(attached) == 6


def test_a_partition_has_the_indexes_of_its_table(engine: Engine, writer: Writer) -> None:
    """Trace id and time, attached to the table's own indexes; nothing else is paid for."""
    writer.write([batch(logs=[log()])])
    with engine.connect() as connection:
        indexes = connection.execute(
            text(
                "select am.amname, parent.relname from pg_index"
                " join pg_class on pg_class.oid = indexrelid join pg_am am on am.oid = relam"
                " join pg_inherits on inhrelid = indexrelid"
                " join pg_class parent on parent.oid = inhparent"
                " where indrelid = cast(:partition as regclass)"
            ),
            {"partition": f"relayscope_store.{partition(today())}"},
        ).all()
    assert sorted(map(tuple, indexes)) == [
        ("btree", "log_by_time"),
        ("btree", "log_ended"),
        ("btree", "log_other"),
        ("btree", "log_severe"),
        ("btree", "log_trace_id"),
    ]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(times=st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20))
def test_every_time_is_stored_to_the_nanosecond(
    engine: Engine, writer: Writer, times: list[int]
) -> None:
    """Any uint64 that a sender calls a time comes back as the same number."""
    request = batch(logs=[log(f"{n}", at=time) for n, time in enumerate(times)])
    with engine.begin() as connection:
        connection.execute(text("truncate relayscope_store.log"))
    assert writer.write([request]) == [WriteOutcome()]
    with engine.connect() as connection:
        back = connection.execute(text("select body, time_unix_nano from relayscope.logs"))
        assert {int(body): int(time) for body, time in back} == dict(enumerate(times))
