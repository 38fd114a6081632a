"""The page's questions: read-only, bounded, and ended when nobody waits for them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from relayscope.collector.page.reader import CONNECTIONS, Reader
from relayscope.collector.query.errors import (
    DatabaseMissing,
    StatementRefused,
    StatementTooSlow,
)
from relayscope.storage import create_engine
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any

    from tests.fix_roles import Tenant

RUNNING = """
    select count(*) from pg_stat_activity
    where query = 'select pg_sleep(60)' and state = 'active'
"""


def asked(url: str, ask: Callable[[Reader], Awaitable[Any]]) -> Any:
    """Return the answer of a reader of that database."""

    async def run() -> Any:
        reader = Reader((url,))
        try:
            return await ask(reader)
        finally:
            reader.close()

    return asyncio.run(run())


def test_rows_have_the_names_of_their_columns(database_url: str) -> None:
    """Values are bound, and a second question finds a clean connection."""

    async def ask(reader: Reader) -> Any:
        await reader.rows("select set_config('work_mem', '1MB', true)")
        return await reader.rows("select %(a)s::int as a, '{\"b\": 1}'::jsonb as b", {"a": 7})

    assert asked(database_url, ask) == [{"a": 7, "b": {"b": 1}}]


def test_a_question_cannot_write(database_url: str) -> None:
    """Every statement that writes is refused."""
    with pytest.raises(StatementRefused, match=r"read-only|permission"):
        asked(database_url, lambda reader: reader.rows("create table t (a int)"))


def test_a_user_who_may_only_write_is_told_who_may_read(tenant: Tenant) -> None:
    """PostgreSQL says only that permission is denied."""
    writer = tenant.url(tenant.roles.writer)
    with pytest.raises(StatementRefused, match=r"denied(.|\n)*page_database_url in the settings"):
        asked(writer, lambda reader: reader.rows("select 1 from relayscope.calls"))


def test_a_question_takes_no_longer_than_it_may(database_url: str) -> None:
    """PostgreSQL ends it, and the message says what to do."""
    with pytest.raises(StatementTooSlow):
        asked(database_url, lambda reader: reader.rows("select pg_sleep(60)", seconds=0.1))


def test_a_question_waits_no_longer_for_its_turn_than_it_may_take(database_url: str) -> None:
    """If all connections are busy, it is given up, too; and the next one finds its turn."""

    async def ask(reader: Reader) -> Any:
        slow = [asyncio.create_task(reader.rows("select pg_sleep(60)")) for _ in range(CONNECTIONS)]
        await asyncio.sleep(0)  # now it is their turn
        with pytest.raises(StatementTooSlow, match="busy with other questions"):
            await reader.rows("select 1", seconds=0.1)
        for task in slow:
            task.cancel()
        await asyncio.wait(slow)
        return await reader.rows("select 1 as one")

    assert asked(database_url, ask) == [{"one": 1}]


def test_a_question_has_what_its_wait_has_left_of_its_time(database_url: str) -> None:
    """Views ask a dozen at once, and nobody waits for the last of them three times as long."""

    async def ask(reader: Reader) -> Any:
        slow = [asyncio.create_task(reader.rows("select pg_sleep(60)")) for _ in range(CONNECTIONS)]
        await asyncio.sleep(0)  # now it is their turn
        left = asyncio.create_task(
            reader.rows(
                "select extract(epoch from current_setting('statement_timeout')::interval) as s",
                seconds=60,
            )
        )
        await asyncio.sleep(0.05)  # it waits at least as long
        for task in slow:
            task.cancel()
        await asyncio.wait(slow)
        return await left

    (row,) = asked(database_url, ask)
    assert 0 < row["s"] < 60


def test_a_question_ends_when_nobody_waits_for_it(database_url: str) -> None:
    """A user who leaves gives the connection back, also when all are busy."""

    async def ask(reader: Reader) -> int:
        slow = [
            asyncio.create_task(reader.rows("select pg_sleep(60)")) for _ in range(CONNECTIONS + 2)
        ]
        engine = create_engine(database_url)

        def running() -> int:
            with engine.connect() as connection:
                return int(connection.exec_driver_sql(RUNNING).scalar_one())

        await asyncio.to_thread(eventually, lambda: running() == CONNECTIONS)
        for task in slow:
            task.cancel()
        await asyncio.wait(slow)
        left = await asyncio.to_thread(running)
        engine.dispose()
        assert await reader.rows("select 1 as one") == [{"one": 1}]
        return left

    assert asked(database_url, ask) == 0


def test_a_database_that_is_away_is_said_to_be(database_url: str) -> None:
    """Not with a password, and not as an error of the page's."""
    with pytest.raises(DatabaseMissing, match="cannot connect"):
        asked(
            "postgresql://nobody:hunter2@127.0.0.1:1/none", lambda reader: reader.rows("select 1")
        )


def test_connections_that_were_ended_are_made_anew(database_url: str) -> None:
    """As after PostgreSQL was started again."""

    async def ask(reader: Reader) -> Any:
        await reader.rows("select 1 as one")
        engine = create_engine(database_url)
        with engine.connect() as connection:
            connection.exec_driver_sql(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        engine.dispose()
        return await reader.rows("select 1 as one")

    assert asked(database_url, ask) == [{"one": 1}]
