"""R6: PostgreSQL has no room left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fix_collector import Collector
from tests.fix_disk import fill
from tests.fix_oracle import Oracle
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.fix_collector import StartCollector


def take_the_room(engine: Engine) -> None:
    """Let PostgreSQL refuse log records as it does when its disk is full."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create function no_room() returns trigger language plpgsql as $$ begin"
            " raise exception 'No space left on device' using errcode = '53100'; end $$;"
            " create trigger no_room before insert on relayscope_store.log"
            " for each row execute function no_room()"
        )


def give_it_back(engine: Engine) -> None:
    """Let PostgreSQL take log records again."""
    with engine.begin() as connection:
        # The trigger stays: to drop it would take a lock that an attempt under way holds.
        connection.exec_driver_sql(
            "create or replace function no_room() returns trigger language plpgsql"
            " as $$ begin return new; end $$"
        )


def test_a_postgresql_without_room_is_one_that_is_away(
    collector: Collector, engine: Engine
) -> None:
    """Its error 53100 (disk full) refuses nobody's rows: they wait on disk until there is room."""
    take_the_room(engine)
    oracle = Oracle()
    marks, request = oracle.issue("logs")
    assert collector.post("logs", request).status == 200
    oracle.acknowledge(marks)
    assert oracle.judge(engine).stored == 0
    give_it_back(engine)
    eventually(lambda: oracle.judge(engine).lost == 0)
    assert oracle.judge(engine).twice == 0


def test_a_full_disk_is_said_to_be_full(
    start_collector: StartCollector, engine: Engine, small_disk: Path
) -> None:
    """R6: to each sender, who is to try again, and once in the log, with the folder."""
    collector = start_collector(environment={"RELAYSCOPE_DATA_DIR": str(small_disk)})
    take_the_room(engine)
    filler = fill(small_disk)
    oracle = Oracle()
    requests = [oracle.issue("logs")[1] for _ in range(5)]
    for request in requests:
        reply = collector.post("logs", request)
        assert reply.status == 503
        assert b"the disk of the database is full, and the disk of the outage" in reply.body
    filler.unlink()
    give_it_back(engine)
    for request in requests:
        eventually(lambda request=request: collector.post("logs", request).status == 200)  # type: ignore[misc]
    eventually(lambda: oracle.judge(engine).stored == 100)
    assert collector.stop() == 0
    of_database, of_spool = [line for line in collector.log if "is full" in line["event"]]
    assert "No space left on device" in of_database["reason"]
    assert "No space left on device" in of_spool["reason"]
    assert of_spool["folder"] == str(small_disk / "outage")
    assert [line["event"] for line in collector.log].count("database back") == 1
