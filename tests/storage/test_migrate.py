"""Migrations: to this version, once, whoever asks and how often."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, make_url, text

from relayscope.storage import (
    DatabaseTooNew,
    DatabaseTooOld,
    DatabaseUnreleased,
    StorageUnavailable,
    check_migrated,
    create_engine,
    migrate,
    tables,
)
from relayscope.storage.migration import HEAD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_roles import Tenant


@pytest.fixture
def empty(empty_database_url: str) -> Iterator[Engine]:
    """An engine for a database without anything in it."""
    engine = create_engine(empty_database_url)
    yield engine
    engine.dispose()


def revisions(engine: Engine) -> list[str]:
    """Return what Alembic noted in the database."""
    with engine.connect() as connection:
        return list(
            connection.scalars(text("select version_num from relayscope_store.alembic_version"))
        )


def test_migrating_again_changes_nothing(empty: Engine) -> None:
    """The second time finds nothing to do."""
    migrate(empty)
    migrate(empty)
    assert revisions(empty) == [HEAD]


def test_processes_that_migrate_at_once_do_it_once(empty_database_url: str, empty: Engine) -> None:
    """All return without an error when the tables are there."""
    together = threading.Barrier(4)
    errors: list[Exception] = []

    def start() -> None:
        engine = create_engine(empty_database_url)
        together.wait()
        try:
            migrate(engine)
        except Exception as error:  # noqa: BLE001  # Whatever it is, it is what we look for.
            errors.append(error)
        engine.dispose()

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert revisions(empty) == [HEAD]


def test_a_newer_database_is_not_touched(engine: Engine) -> None:
    """An older relayscope says that it is the one to be updated."""
    with engine.begin() as connection:
        connection.execute(
            text("update relayscope_store.alembic_version set version_num = 'v9999'")
        )
    with pytest.raises(DatabaseTooNew, match="newer relayscope"):
        migrate(engine)
    assert revisions(engine) == ["v9999"]


@pytest.mark.parametrize("revision", ["0001", "0009", "0013"])
def test_a_database_from_before_the_first_release_is_refused(engine: Engine, revision: str) -> None:
    """Its tables were changed many times since; the message says how its records are kept."""
    with engine.begin() as connection:
        connection.execute(
            text("update relayscope_store.alembic_version set version_num = :revision"),
            {"revision": revision},
        )
    with pytest.raises(DatabaseUnreleased, match=r"`relayscope archive`.*an empty database"):
        migrate(engine)
    assert revisions(engine) == [revision]


@pytest.mark.parametrize("said", ["'tables of relayscope: 0123456789abcdef'", "null"])
def test_a_database_whose_tables_were_edited_since_is_refused(engine: Engine, said: str) -> None:
    """Under the same revision, which does not tell: before anything is asked of them or changed."""
    check_migrated(engine)
    with engine.begin() as connection:
        connection.execute(text(f"comment on schema relayscope_store is {said}"))
    for look in (migrate, check_migrated):
        with pytest.raises(DatabaseUnreleased, match=r"`relayscope archive`.*an empty database"):
            look(engine)


def test_an_empty_database_has_no_tables_to_work_with(empty: Engine) -> None:
    """Upkeep by hand makes none, and says who does."""
    with pytest.raises(DatabaseTooOld, match="`relayscope serve` makes them"):
        check_migrated(empty)


def test_what_keeps_from_connecting_is_not_taken_for_a_migration(database_url: str) -> None:
    """As a wrong password: the message says that nobody was let in."""
    url = make_url(database_url).set(username="nobody_of_this_name")
    engine = create_engine(url.render_as_string(hide_password=False))
    with pytest.raises(StorageUnavailable, match=r"cannot connect to PostgreSQL: .*nobody_of_this"):
        migrate(engine)
    engine.dispose()


def test_where_postgresql_has_no_connection_left_the_message_says_what_to_do(
    tenant: Tenant, engine: Engine
) -> None:
    """PostgreSQL's own words name neither who holds them nor the setting."""
    with engine.begin() as connection:
        connection.execute(text(f"alter role {tenant.roles.writer} connection limit 0"))
    refused = create_engine(tenant.url(tenant.roles.writer))
    with pytest.raises(StorageUnavailable, match=r"too many connections .*max_connections in"):
        migrate(refused)
    refused.dispose()


def test_a_database_that_is_away_may_be_migrated_later() -> None:
    """The error is a retryable one."""
    engine = create_engine("postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StorageUnavailable) as caught:
        migrate(engine)
    assert caught.value.retryable
    engine.dispose()


def test_the_tables_are_what_the_program_thinks(engine: Engine) -> None:
    """A migrated database and `relayscope.storage.tables` describe the same columns and indexes."""
    names = set(tables.metadata.tables)

    def is_ours(thing: Any, _name: str | None, kind: str, *_: object) -> bool:
        # Not the partitions.
        return kind != "table" or thing.fullname in names

    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "include_object": is_ours,
                "compare_type": True,
                "version_table_schema": tables.SCHEMA,
            },
        )
        assert compare_metadata(context, tables.metadata) == []


def test_the_newest_migration_is_known_without_alembic() -> None:
    """`HEAD`, which saves importing Alembic, is the head of the migrations."""
    config = Config()
    config.set_main_option("script_location", "relayscope.storage:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]
