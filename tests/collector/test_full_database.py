"""R6: PostgreSQL has no room left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.fix_collector import Collector
from tests.fix_oracle import Oracle
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from sqlalchemy import Engine


def test_a_postgresql_without_room_is_one_that_is_away(
    collector: Collector, engine: Engine
) -> None:
    """Its error 53100 (disk full) refuses nobody's rows: they wait on disk until there is room."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create function no_room() returns trigger language plpgsql as $$ begin"
            " raise exception 'No space left on device' using errcode = '53100'; end $$;"
            " create trigger no_room before insert on relayscope_store.log"
            " for each row execute function no_room()"
        )
    oracle = Oracle()
    marks, request = oracle.issue("logs")
    assert collector.post("logs", request).status == 200
    oracle.acknowledge(marks)
    assert oracle.judge(engine).stored == 0
    with engine.begin() as connection:
        # The trigger stays: to drop it would take a lock that an attempt under way holds.
        connection.exec_driver_sql(
            "create or replace function no_room() returns trigger language plpgsql"
            " as $$ begin return new; end $$"
        )

    eventually(lambda: oracle.judge(engine).lost == 0)
    assert oracle.judge(engine).twice == 0
