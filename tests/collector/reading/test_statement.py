"""The user's own SQL, which can only read."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from sqlalchemy import make_url

from relayscope.collector.query import value_loaders as values
from relayscope.collector.query.database import reading
from relayscope.collector.query.errors import DatabaseMissing, StatementRefused
from relayscope.collector.query.statement import run
from relayscope.collector.render import tabular
from tests.collector.reading.conftest import COMMAND, settings_for
from tests.fix_collector import PATIENCE, collector_environment

if TYPE_CHECKING:
    from pathlib import Path

    from relayscope.collector.config.settings import Settings
    from tests.collector.reading.conftest import Relayscope

WRITES = [
    "drop table relayscope_store.span",
    "truncate relayscope_store.span",
    "create table evil (a int)",
    "create table evil as select 1",
    "select 1 into evil",
    "create temp table evil (a int)",
    "delete from relayscope_store.log",
    "delete from relayscope_store.log returning body",
    "update relayscope_store.log set body = '' returning body",
    "with gone as (delete from relayscope_store.log returning body) select * from gone",
    "insert into relayscope_store.request values ('\\x00') returning digest",
    "merge into relayscope_store.log using (select 1) as s on true when matched then delete",
    "explain analyze delete from relayscope_store.log",
    "explain analyze create table evil as select 1",
    "select lo_import('/etc/hostname')",
    "select nextval('evil')",
    "refresh materialized view evil",
    "grant all on relayscope_store.log to public",
    "vacuum",
    "alter system set fsync = off",
    "select pg_reload_conf()",
    "select pg_promote()",
]
"""Statements that change what is stored, or the server."""

LARGE_OBJECTS = ["select lo_create(0)", "select lo_from_bytea(0, 'x')"]
"""Statements that write, which PostgreSQL refuses to a reader from version 16 on."""

ESCAPES = [
    "commit",
    "rollback",
    "rollback; drop table relayscope_store.log",
    "commit; drop table relayscope_store.log; select 1",
    "select 1; drop table relayscope_store.log",
    "select 1; commit; drop table relayscope_store.log",
    "begin read write",
    "set transaction read write",
    "set session characteristics as transaction read write",
    "set transaction_read_only = off",
    "select set_config('transaction_read_only', 'off', false)",
    "select set_config('transaction_read_only', 'off', true), lo_create(0)",
    "set role none",
    "reset role",
    "reset session authorization",
    "discard all",
    "do $$ begin reset role; execute 'drop table relayscope_store.log'; end $$",
    "do $$ begin commit; drop table relayscope_store.log; end $$",
    "call evil()",
    "prepare evil as delete from relayscope_store.log",
    "execute evil",
    "declare evil cursor with hold for select 1",
    "fetch all from evil",
    "lock table relayscope_store.log",
    "listen evil",
    "notify evil",
    "load 'auto_explain'",
    "checkpoint",
]
"""Statements that leave the transaction, the role, or the one statement."""

FILES = [
    "copy (select 1) to program 'touch {marker}'",
    "copy (select 1) to '{marker}'",
    "copy relayscope_store.log from '/etc/hostname'",
    "copy (select 1) to stdout",
    "select pg_read_file('/etc/hostname')",
    "select pg_read_binary_file('postgresql.conf')",
    "select * from pg_ls_dir('/')",
    "select * from pg_stat_file('/etc/hostname')",
    "select lo_export(1, '{marker}')",
    "select pg_rotate_logfile()",
    "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()",
    "select set_config('role', 'none', false), pg_read_file('/etc/hostname')",
]
"""Statements that reach for the server's files and programs."""


def rows_of(settings: Settings, statement: str, timeout: float = 30) -> list[tuple[Any, ...]]:
    """All rows of a statement, as text."""
    with reading(settings, timeout=timeout) as connection:
        return list(run(connection, statement, values.as_text).rows)


@pytest.mark.parametrize("statements", [WRITES, ESCAPES, FILES], ids=["write", "escape", "files"])
def test_what_is_no_reading_is_refused_and_changes_nothing(
    settings: Settings, stored: str, tmp_path: Path, statements: list[str]
) -> None:
    """The database before and after is the same, as are the server's files."""
    marker = tmp_path / "written"
    before = _state(stored)
    for statement in statements:
        with pytest.raises(StatementRefused):
            rows_of(settings, statement.replace("{marker}", str(marker)))
        assert _state(stored) == before, statement
        assert not marker.exists(), statement


@pytest.mark.parametrize("statement", LARGE_OBJECTS)
def test_a_large_object_is_refused_or_gone_with_the_transaction(
    settings: Settings, stored: str, statement: str
) -> None:
    """No version of PostgreSQL keeps what a reader made."""
    before = _state(stored)
    with psycopg.connect(_plain(stored)) as connection:
        is_refused = connection.info.server_version >= 160000
    with pytest.raises(StatementRefused) if is_refused else nullcontext():
        rows_of(settings, statement)
    assert _state(stored) == before


def test_a_user_who_may_write_and_cannot_become_a_reader_still_only_reads(
    stored: str,
) -> None:
    """The transaction is READ ONLY whoever it belongs to, and rolled back at the end."""
    with psycopg.connect(_plain(stored)) as owner:
        owner.execute("create role writer_in_test login password 'writer'")
    try:
        with psycopg.connect(_plain(stored)) as owner:
            owner.execute("create schema writers authorization writer_in_test")
            owner.execute("create table writers.things as select 1 as a")
            owner.execute("alter table writers.things owner to writer_in_test")
        url = make_url(stored).set(username="writer_in_test", password="writer")
        as_writer = settings_for(url.render_as_string(hide_password=False))
        assert rows_of(as_writer, "select current_user, a from writers.things") == [
            ("writer_in_test", "1")
        ]
        with pytest.raises(StatementRefused, match="read-only transaction"):
            rows_of(as_writer, "delete from writers.things returning a")
        rows_of(as_writer, "explain analyze create table writers.evil as select 1")
        with pytest.raises(StatementRefused, match="does not exist"):
            rows_of(as_writer, "select * from writers.evil")
    finally:
        with psycopg.connect(_plain(stored)) as owner:
            owner.execute("drop schema if exists writers cascade")
            owner.execute("drop role writer_in_test")


READINGS = {
    "select 1": ["1"],
    "with a as (values (1), (2)) select * from a;": ["1", "2"],
    "select name from spans where name like 'connect %'": ["connect gates"],
    "select count(*) from logs where event_name = 'mcp.message'": ["11"],
    "explain (costs off) select 1": ["Result"],
    "show transaction_read_only": ["on"],
    "select '%s' || '%(a)s'": ["%s%(a)s"],
    "select 1 -- ; drop table x": ["1"],
}


def test_what_reads_is_run(settings: Settings) -> None:
    """Every statement that returns rows, and `spans` and `logs` by these names."""
    for statement, expected in READINGS.items():
        assert rows_of(settings, statement) == [(value,) for value in expected]


def test_the_reader_is_no_superuser(settings: Settings) -> None:
    """Also where the database is connected to as one."""
    assert rows_of(settings, "select current_setting('is_superuser')") == [("off",)]


def test_a_wrong_statement_is_answered_in_postgresqls_words_with_the_place(
    settings: Settings,
) -> None:
    """The message, the line, and a mark below the place."""
    with pytest.raises(StatementRefused) as refused:
        rows_of(settings, "select trace_id,\n       boddy from logs")
    assert str(refused.value).split("\n")[:3] == [
        'column "boddy" does not exist',
        "LINE 2:        boddy from logs",
        "               ^",
    ]


def test_an_error_that_quotes_telemetry_is_harmless(settings: Settings) -> None:
    """PostgreSQL repeats a value that it cannot convert; it is a stranger's."""
    with pytest.raises(StatementRefused) as refused:
        rows_of(settings, "select max(name)::int from spans where name like '%owned%'")
    assert r"\x1b]0;owned\x07" in str(refused.value)
    assert "\x1b" not in str(refused.value)


def test_a_statement_that_takes_too_long_is_ended(settings: Settings) -> None:
    """With a word on how to allow it more."""
    with pytest.raises(StatementRefused, match=r"statement timeout\nHINT:  --timeout"):
        rows_of(settings, "select pg_sleep(600)", timeout=0.1)


def test_a_database_that_is_not_there_is_said_so() -> None:
    """No traceback, and no password."""
    nowhere = settings_for("postgresql://u:hunter2@127.0.0.1:9/x")
    with pytest.raises(DatabaseMissing, match="cannot connect") as missing:
        rows_of(nowhere, "select 1")
    assert "hunter2" not in str(missing.value)


def test_interrupting_ends_the_query_on_the_server(stored: str) -> None:
    """Ctrl-C leaves nothing running."""
    with (
        psycopg.connect(_plain(stored), autocommit=True) as observer,
        subprocess.Popen(
            [*COMMAND, "sql", "select 'interrupt me', pg_sleep(600)"],
            env=collector_environment({"RELAYSCOPE_DATABASE_URL": stored}),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        _wait_for(lambda: _running(observer, "select 'interrupt me'%") == 1)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
        _wait_for(lambda: _running(observer, "select 'interrupt me'%") == 0)
        assert process.returncode == 1
        assert said.strip() == "Aborted!"


def test_json_keeps_what_postgresql_can_hold(settings: Settings) -> None:
    """Digits, infinities, arrays and JSON come out as they went in."""
    statement = r"""
        select 1.50 as numeric, 'NaN'::float8 as nan, 9223372036854775807 as big,
               1e300::float8 as float, true as yes, null as nothing,
               '{"a": [1.10, "\u001b"]}'::jsonb as j, E'{"a":\n1}'::json as lines,
               array[1, 2] as numbers, array['{"b":1}'::jsonb] as objects,
               timestamptz '2026-01-02 03:04:05.678901+00' as time,
               'infinity'::timestamptz as never, timestamp '20000-01-01 00:00:00' as late,
               '\xdead'::bytea as bytes, E'\u202e' as bidi, 18446744073709551615::numeric as uint64
    """
    with reading(settings, timeout=30) as connection:
        connection.execute("set local timezone = 'UTC'")
        (line,) = tabular.json_lines(run(connection, statement, values.as_json))
    assert line.isascii()
    assert '"numeric":1.50,' in line
    assert json.loads(line) == {
        "numeric": 1.5,
        "nan": "NaN",
        "big": 9223372036854775807,
        "float": 1e300,
        "yes": True,
        "nothing": None,
        "j": {"a": [1.1, "\x1b"]},
        "lines": {"a": 1},
        "numbers": [1, 2],
        "objects": [{"b": 1}],
        "time": "2026-01-02T03:04:05.678901+00:00",
        "never": "infinity",
        "late": "20000-01-01T00:00:00",
        "bytes": "\\xdead",
        "bidi": "\u202e",
        "uint64": 18446744073709551615,
    }


def test_rows_are_not_gathered_before_they_are_shown(relayscope: Relayscope) -> None:
    """A result larger than memory can be read, or left after a few lines."""
    result = relayscope(
        "sql", "--csv", "--timeout", "0", "select repeat('x', 1000) from generate_series(1, 20000)"
    )
    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 20_001


def _state(url: str) -> list[tuple[Any, ...]]:
    """Return the database's tables, their privileges and their numbers of rows."""
    with psycopg.connect(_plain(url)) as connection:
        return connection.execute(
            """
            select oid::regclass::text, relacl::text,
                   (select count(*) from relayscope_store.log),
                   (select count(*) from relayscope_store.span),
                   (select count(*) from relayscope_store.request),
                   (select count(*) from pg_largeobject_metadata),
                   current_setting('fsync')
            from pg_class where relnamespace::regnamespace::text !~ '^pg_' order by 1
            """
        ).fetchall()


def _running(observer: psycopg.Connection[Any], pattern: str) -> int:
    found = observer.execute(
        "select count(*) from pg_stat_activity where state = 'active' and query like %s", [pattern]
    ).fetchone()
    assert found is not None
    number: int = found[0]
    return number


def _wait_for(fact: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
