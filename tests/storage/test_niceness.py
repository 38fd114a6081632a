"""Receiving comes first: who reads or looks after what is stored gives way to who writes."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from relayscope.collector.query.database import connect_reader
from relayscope.storage import NICENESS, create_engine, maintenance_connection

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def plain(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A connection as a writer's; Linux and a database of this machine are needed."""
    with psycopg.connect(database_url) as connection:
        if not Path(f"/proc/{connection.info.backend_pid}").exists():
            pytest.skip("PostgreSQL does not run here")
        yield connection


def test_readers_give_way_to_receiving(database_url: str, plain: psycopg.Connection[Any]) -> None:
    """The backend that answers them is nicer than a writer's, also among sessions, and alone."""
    with closing(connect_reader([database_url])) as reader:
        assert_gives_way(reader, plain)


def test_upkeep_gives_way_to_receiving(database_url: str, plain: psycopg.Connection[Any]) -> None:
    """The backend that seals and removes is nicer than a writer's, too."""
    engine = create_engine(database_url)
    with maintenance_connection(engine) as connection:
        assert connection is not None
        assert_gives_way(connection, plain)
    engine.dispose()


def assert_gives_way(nice: psycopg.Connection[Any], plain: psycopg.Connection[Any]) -> None:
    """Compare two backends."""
    assert niceness(nice) == max(NICENESS, niceness(plain))
    if session(plain):
        assert session(nice).endswith(f"nice {NICENESS}\n")
        assert session(plain).endswith("nice 0\n")
    assert nice.execute("show max_parallel_workers_per_gather").fetchall() == [("0",)]
    assert plain.execute("show max_parallel_workers_per_gather").fetchall() != [("0",)]


def niceness(connection: psycopg.Connection[Any]) -> int:
    """The niceness of a connection's backend."""
    return os.getpriority(os.PRIO_PROCESS, connection.info.backend_pid)


def session(connection: psycopg.Connection[Any]) -> str:
    """The group of a backend's session; empty if Linux groups no sessions."""
    group = Path(f"/proc/{connection.info.backend_pid}/autogroup")
    return group.read_text() if group.exists() else ""
