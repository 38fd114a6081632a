"""The writer while its database is away, slow, deaf, locked or dying."""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
import threading
import time
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Engine, text

from relayscope.storage import (
    EmbeddedServer,
    StorageUnavailable,
    WriteOutcome,
    Writer,
    create_engine,
    migrate,
)
from tests.storage.samples import batch, log

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.fix_proxy import Proxy


@pytest.fixture
def writer(proxied_database_url: str) -> Iterator[Writer]:
    """An impatient writer, through the proxy."""
    engine = create_engine(proxied_database_url)
    writer = Writer(engine, timeout=timedelta(seconds=1))
    yield writer
    writer.close()
    engine.dispose()


def stored(engine: Engine) -> list[str]:
    """Return the bodies of all stored log records."""
    with engine.connect() as connection:
        return list(connection.scalars(text("select body from relayscope.logs order by body")))


def wait_until(fact: Callable[[], bool]) -> None:
    """Wait for a fact, for as long as a busy machine may need."""
    deadline = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_database_that_went_away_is_found_again(
    engine: Engine, writer: Writer, database_proxy: Proxy
) -> None:
    """Writes fail while it is away, change nothing, and succeed when it is back."""
    writer.write([batch(logs=[log("before")])])
    late = batch(logs=[log("late")])
    database_proxy.stop()
    for _ in range(3):
        with pytest.raises(StorageUnavailable):
            writer.write([late])
    assert stored(engine) == ["before"]
    database_proxy.start()
    assert writer.write([late]) == [WriteOutcome()]
    assert stored(engine) == ["before", "late"]


def test_a_database_that_hangs_does_not_hang_the_writer(
    engine: Engine, writer: Writer, database_proxy: Proxy
) -> None:
    """No answer at all, on an open connection, ends in an error."""
    writer.write([batch(logs=[log("before")])])
    late = batch(logs=[log("late")])
    database_proxy.deafen()
    with pytest.raises(StorageUnavailable):
        writer.write([late])
    database_proxy.stop()
    database_proxy.start()
    assert writer.write([late]) == [WriteOutcome()]
    assert stored(engine) == ["before", "late"]


def test_a_connection_that_is_never_accepted_does_not_hang_the_writer(
    proxied_database_url: str, database_proxy: Proxy
) -> None:
    """Connecting to a server that says nothing ends, too."""
    engine = create_engine(f"{proxied_database_url}?connect_timeout=2")
    database_proxy.deafen()
    with pytest.raises(StorageUnavailable, match="timeout"):
        Writer(engine).write([batch(logs=[log()])])
    engine.dispose()


def test_a_trickle_does_not_hang_the_writer(
    engine: Engine, writer: Writer, database_proxy: Proxy
) -> None:
    """A way that is slower than the data stores nothing of it."""
    writer.write([batch(logs=[log("before")])])
    database_proxy.slow_down(10_000)
    with pytest.raises(StorageUnavailable):
        writer.write([batch(logs=[log("x" * 1000)] * 1000)])
    assert stored(engine) == ["before"]


def test_a_locked_table_does_not_hang_the_writer(engine: Engine, writer: Writer) -> None:
    """Another session gets its lock; the writer comes back later."""
    writer.write([batch(logs=[log("before")])])
    late = batch(logs=[log("late")])
    with engine.begin() as other:
        other.execute(text("lock table relayscope_store.log in access exclusive mode"))
        with pytest.raises(StorageUnavailable, match="lock timeout"):
            writer.write([late])
    assert writer.write([late]) == [WriteOutcome()]
    assert stored(engine) == ["before", "late"]


def test_a_lost_answer_to_the_commit_is_no_second_copy(
    engine: Engine, writer: Writer, database_proxy: Proxy
) -> None:
    """The connection breaks while PostgreSQL commits: written again, it is told as a duplicate."""
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create function pause() returns trigger language plpgsql as"
            " $$ begin perform pg_advisory_xact_lock(1); return null; end $$;"
            " create constraint trigger pause after insert on relayscope_store.request"
            " deferrable initially deferred for each row execute function pause()"
        )
    request = batch(logs=[log("once")])

    def break_it() -> None:
        with engine.begin() as holder:
            holder.execute(text("select pg_advisory_xact_lock(1)"))
            is_held.set()
            wait_until(is_committing)
            database_proxy.stop()

    def is_committing() -> bool:
        with engine.connect() as other:
            return bool(
                other.scalar(
                    text(
                        "select count(*) from pg_stat_activity where wait_event = 'advisory'"
                        " and datname = current_database()"
                    )
                )
            )

    is_held = threading.Event()
    breaker = threading.Thread(target=break_it)
    breaker.start()
    assert is_held.wait(60)
    with pytest.raises(StorageUnavailable):
        writer.write([request])
    breaker.join()
    wait_until(lambda: stored(engine) == ["once"])
    database_proxy.start()
    assert writer.write([request]) == [WriteOutcome(duplicate=True)]
    assert stored(engine) == ["once"]


def test_a_missing_table_is_waited_for(empty_database_url: str) -> None:
    """A database that is not migrated yet keeps nothing, and refuses no row for it."""
    engine = create_engine(empty_database_url)
    writer = Writer(engine)
    request = batch(logs=[log("first")])
    with pytest.raises(StorageUnavailable, match="relayscope_store"):
        writer.write([request])
    migrate(engine)
    assert writer.write([request]) == [WriteOutcome()]
    writer.close()
    engine.dispose()


def test_what_was_acknowledged_survives_a_crash_of_postgresql() -> None:
    """Killed several times while it is written to, it has each acknowledged record, once."""
    acknowledged: list[str] = []

    def persist(writer: Writer) -> int:
        """Write one more record until it is acknowledged; return how many attempts that took."""
        request = batch(logs=[log(f"{len(acknowledged):06}")])
        for attempt in count(1):
            with contextlib.suppress(StorageUnavailable):
                writer.write([request])
                acknowledged.append(f"{len(acknowledged):06}")
                return attempt
            time.sleep(0.02)
        raise AssertionError

    with (
        tempfile.TemporaryDirectory(prefix="relayscope-") as folder,
        EmbeddedServer.start(Path(folder)) as server,
    ):
        engine = create_engine(server.url)
        migrate(engine)
        writer = Writer(engine)
        for _ in range(3):
            victim = int(
                Path(folder, "postgresql/server/cluster/postmaster.pid").read_text().split()[0]
            )
            killer = threading.Timer(0.1, os.kill, args=(victim, signal.SIGQUIT))
            killer.start()
            while persist(writer) == 1:
                pass
            killer.join()
        assert stored(engine) == acknowledged
        writer.close()
        engine.dispose()


def test_an_older_copy_of_the_database_gets_what_it_needs(engine: Engine) -> None:
    """After a reconnect nothing is taken for stored that a restored backup may not have."""
    writer = Writer(engine)
    writer.write([batch(logs=[log("lost")])])
    with engine.begin() as connection:
        connection.execute(text("truncate relayscope_store.log, relayscope_store.resource"))
        connection.execute(
            text(
                "select pg_terminate_backend(pid) from pg_stat_activity"
                " where datname = current_database() and pid <> pg_backend_pid()"
            )
        )
    request = batch(logs=[log("new")])
    with pytest.raises(StorageUnavailable):
        writer.write([request])
    assert writer.write([request]) == [WriteOutcome()]
    with engine.connect() as connection:
        assert connection.scalar(text("select component from relayscope.logs")) == "relay"
    writer.close()
