"""Retention: whole segments go, when their time has come, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import psycopg
import pytest
from psycopg.sql import SQL, Identifier
from sqlalchemy import Engine, text

from relayscope.storage import (
    Policy,
    RetentionClass,
    Sealer,
    Segment,
    Writer,
    drop_unused_tables,
    forget_unused,
    hold,
    maintenance_connection,
    plan,
    remove,
)
from relayscope.storage.writing import dictionary
from tests.fix_programs import eventually
from tests.storage.samples import NOW, batch, log, point, span

if TYPE_CHECKING:
    from collections.abc import Iterator

DAY: Final = 86_400 * 10**9
ERRORS: Final = RetentionClass("errors", errors=True)
POLICY: Final = Policy(
    {"log": timedelta(days=5), "span": timedelta(days=10)}, {"errors": timedelta(days=20)}
)


@pytest.fixture
def owner(engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    """The connection of the only one who seals and removes."""
    with maintenance_connection(engine) as connection:
        assert connection is not None
        yield connection


@pytest.fixture
def week(engine: Engine) -> None:
    """Records of 3, 8 and 15 days ago, sealed; every tenth is an error."""
    writer = Writer(engine)
    for days in (3, 8, 15):
        at = NOW - days * DAY
        writer.write(
            [
                batch(
                    logs=[log(at=at, severity_number=17 if n % 10 == 0 else 1) for n in range(50)],
                    spans=[span(start=at, status_code=2 if n % 10 == 0 else 0) for n in range(20)],
                    points=[point(at=at)],
                )
            ]
        )
    writer.close()
    assert len(list(Sealer(engine, [ERRORS]).seal(quiet=False))) == 9


def planned(owner: psycopg.Connection[Any], policy: Policy) -> list[tuple[str, str, int, str]]:
    """Return the planned removals: table, class, age in days, reason."""
    now = datetime.now(UTC)
    return [
        (found.signal, found.class_, (now - found.to_time).days + 1, found.reason)
        for found in plan(owner, policy)
    ]


def counts(engine: Engine) -> tuple[int, int, int]:
    """Return the numbers of log records, spans and points."""
    with engine.connect() as connection:
        row = connection.execute(
            text(
                "select (select count(*) from relayscope.logs),"
                " (select count(*) from relayscope.spans),"
                " (select count(*) from relayscope.metrics)"
            )
        ).one()
        return row[0], row[1], row[2]


@pytest.mark.usefixtures("week")
def test_each_signal_and_class_has_its_age(owner: psycopg.Connection[Any]) -> None:
    """Logs go after 5 days, spans after 10, errors of both later, metrics never."""
    assert planned(owner, POLICY) == [
        ("log", "rest", 15, "age"),
        ("span", "rest", 15, "age"),
        ("log", "rest", 8, "age"),
    ]


@pytest.mark.usefixtures("week")
def test_what_was_planned_goes_and_nothing_else(
    engine: Engine, owner: psycopg.Connection[Any]
) -> None:
    """Rows are gone, tables too, and it is written down what went."""
    for removal in plan(owner, POLICY):
        assert remove(owner, removal)
    drop_unused_tables(owner)
    assert counts(engine) == (50 + 5 + 5, 20 + 20 + 2, 3)
    assert plan(owner, POLICY) == []
    with engine.connect() as connection:
        removed = connection.execute(
            text("select signal, class, rows, reason from relayscope_store.removal order by rows")
        ).all()
        tables = connection.scalar(
            text("select count(*) from pg_class where relname ~ '^(log_chunk|span_sealed)_[0-9]+$'")
        )
    assert [tuple(row) for row in removed] == [
        ("span", "rest", 18, "age"),
        ("log", "rest", 45, "age"),
        ("log", "rest", 45, "age"),
    ]
    assert tables == len([s for s in Segment.all(owner) if s.signal != "metric_point"])


@pytest.mark.usefixtures("week")
def test_too_large_a_database_loses_what_is_nearest_to_its_end(
    owner: psycopg.Connection[Any],
) -> None:
    """Beyond the size the oldest goes first, measured by how long it would have been kept."""
    ages = {"log": timedelta(days=40), "span": timedelta(days=400)}
    kept = Policy(ages, {"errors": timedelta(days=80)}, max_bytes=None)
    assert planned(owner, kept) == []
    ((size,),) = owner.execute("select pg_database_size(current_database())").fetchall()
    one = Policy(ages, kept.class_ages, max_bytes=size - 1)
    assert planned(owner, one) == [("log", "rest", 15, "size")]
    all_ = planned(owner, Policy(ages, kept.class_ages, max_bytes=1))
    assert len(all_) == 15


def test_what_was_never_sealed_is_counted_where_postgresql_does_not_know(
    engine: Engine, owner: psycopg.Connection[Any]
) -> None:
    """Its statistics are gone after a crash; how many rows went is said all the same."""
    writer = Writer(engine)
    writer.write([batch(logs=[log(at=NOW - 25 * DAY), log(at=NOW - 25 * DAY)])])
    writer.close()

    def estimated() -> list[Any]:
        return owner.execute(
            "select sum(pg_stat_get_live_tuples(inhrelid)) from pg_inherits"
            " where inhparent = 'relayscope_store.log'::regclass"
        ).fetchall()

    # A backend tells what it has written as it ends.
    eventually(lambda: estimated() == [(2,)])
    owner.execute("select pg_stat_reset()")
    eventually(lambda: estimated() == [(0,)])

    (removal,) = plan(owner, POLICY)

    assert removal.what.rows == 2


def test_what_was_never_sealed_goes_by_the_longest_age(
    engine: Engine, owner: psycopg.Connection[Any]
) -> None:
    """Nobody knows what is in it, so it stays as long as any of it might; it still takes rows."""
    writer = Writer(engine)
    writer.write([batch(logs=[log(at=NOW - 25 * DAY)])])
    writer.write([batch(logs=[log(at=NOW - 15 * DAY)])])
    assert planned(owner, POLICY) == [("log", "", 25, "age")]
    for removal in plan(owner, POLICY):
        assert remove(owner, removal)
    assert counts(engine)[0] == 1
    writer.write([batch(logs=[log(at=NOW - 25 * DAY)])])
    assert counts(engine)[0] == 2
    writer.close()


@pytest.mark.usefixtures("week")
def test_what_is_held_stays(owner: psycopg.Connection[Any]) -> None:
    """Restored records are not removed while they are held."""
    at = datetime.fromtimestamp(NOW / 10**9, UTC) - timedelta(days=15)
    hold(owner, at, at + timedelta(seconds=1), timedelta(days=1))
    assert planned(owner, POLICY) == [("log", "rest", 8, "age")]
    owner.execute("update relayscope_store.hold set until = now() - interval '1 s'")
    assert len(planned(owner, POLICY)) == 3


@pytest.mark.usefixtures("week")
def test_shapes_go_with_the_last_segment_that_has_them(
    engine: Engine, owner: psycopg.Connection[Any]
) -> None:
    """The small table of what records have in common does not grow for ever."""
    everything = Policy({"log": timedelta(0)}, {"errors": timedelta(0)})
    for removal in plan(owner, everything):
        assert remove(owner, removal)
    drop_unused_tables(owner)
    with engine.connect() as connection:
        assert connection.scalar(text("select count(*) from relayscope_store.log_shape")) == 0
    assert counts(engine)[0] == 0


@pytest.mark.usefixtures("week")
def test_a_reader_makes_removal_wait(
    engine: Engine, owner: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records that are being read stay until the next round; writers do not notice."""
    monkeypatch.setattr("relayscope.storage.retention.removal._TRIES", 1)
    removal = plan(owner, POLICY)[0]
    with engine.begin() as reader:
        reader.execute(text("select count(body) from relayscope.logs"))
        assert not remove(owner, removal)
    assert remove(owner, removal)


def test_what_came_too_late_for_a_partition_is_sealed_and_removed(
    engine: Engine, owner: psycopg.Connection[Any]
) -> None:
    """Records 40 days and 50 years old are in DEFAULT at first, and go as all others do."""
    writer = Writer(engine)
    for at in (NOW - 40 * DAY, NOW - 20_000 * DAY):
        writer.write([batch(logs=[log(at=at)], spans=[span(start=at)], points=[point(at=at)])])
    writer.close()
    assert in_default(owner) == [2, 2, 2]

    owner.execute("select pg_advisory_unlock_all()")
    assert len(list(Sealer(engine).seal(quiet=False))) == 6
    assert in_default(owner) == [0, 0, 0]
    assert counts(engine) == (2, 2, 2)

    for removal in plan(owner, POLICY):
        assert remove(owner, removal)
    assert counts(engine) == (0, 0, 2)


def test_partitions_that_are_long_empty_are_dropped(
    engine: Engine, owner: psycopg.Connection[Any]
) -> None:
    """Those of made-up times, too; a record that comes for one later has its place in DEFAULT."""
    at = NOW - 40 * DAY
    writer = Writer(engine)
    writer.write([batch(logs=[log(at=at)])])
    owner.execute("select pg_advisory_unlock_all()")
    list(Sealer(engine).seal(quiet=False))
    before = partitions(owner)
    drop_unused_tables(owner)
    assert partitions(owner) == before - 1
    writer.write([batch(logs=[log(at=at)])])
    writer.close()
    assert counts(engine)[0] == 2
    list(Sealer(engine).seal(quiet=False))
    assert counts(engine)[0] == 2


def in_default(owner: psycopg.Connection[Any]) -> list[int]:
    """Return the numbers of log records, spans and points in default partitions."""
    tables = ("log_default", "span_default", "metric_point_default")
    return [
        owner.execute(
            SQL("select count(*) from {}").format(Identifier("relayscope_store", each))
        ).fetchall()[0][0]
        for each in tables
    ]


def components(owner: psycopg.Connection[Any]) -> list[str]:
    """The components of all resources."""
    statement = "select component from relayscope_store.resource order by 1"
    return [component for (component,) in owner.execute(statement)]


def partitions(owner: psycopg.Connection[Any]) -> int:
    """Return the number of partitions of log records."""
    statement = (
        "select count(*) from pg_inherits where inhparent = 'relayscope_store.log'::regclass"
    )
    return int(owner.execute(statement).fetchall()[0][0])


def test_what_no_record_refers_to_is_forgotten(
    engine: Engine, owner: psycopg.Connection[Any]
) -> None:
    """Resources and scopes of removed records go after a day, unless they are sent again."""
    writer = Writer(engine)
    writer.write(
        [
            batch(service="kept", logs=[log()]),
            batch(service="gone", logs=[log()], spans=[span()]),
        ]
    )
    owner.execute("truncate relayscope_store.span")
    owner.execute(
        "delete from relayscope_store.log using relayscope_store.resource"
        " where resource.id = resource_id and component = 'gone'"
    )
    assert forget_unused(owner) == 0
    owner.execute("update relayscope_store.entry_seen set seen_at = now() - interval '2 days'")
    assert forget_unused(owner) == 1
    assert components(owner) == ["kept"]
    writer.close()
    writer.write([batch(service="gone", logs=[log()])])
    writer.close()
    assert components(owner) == ["gone", "kept"]


def test_what_is_sent_again_is_not_forgotten(
    engine: Engine, owner: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A writer that has remembered for an hour what it uses says so again."""
    monkeypatch.setattr(dictionary, "_REMEMBERED_SECONDS", -1.0)
    writer = Writer(engine)
    writer.write([batch(service="used", spans=[span()])])
    owner.execute("update relayscope_store.entry_seen set seen_at = now() - interval '2 days'")
    writer.write([batch(service="used", spans=[span()])])
    writer.close()
    owner.execute("truncate relayscope_store.span")
    forget_unused(owner)
    assert components(owner) == ["used"]
