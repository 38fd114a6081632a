"""R21: while one collector has been updated already, another of the previous release writes on."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Final, LiteralString
from uuid import uuid4

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from relayscope.storage import create_engine, migrate
from relayscope.storage.migration import HEAD
from tests.fix_programs import eventually

PREVIOUS: Final = "v0001"

# What the writer of that release says, word for word but for the values.
_LOG: Final[LiteralString] = (
    "copy relayscope_store.log (time, time_nano, observed_time, observed_nano, trace_id, span_id,"
    " flags, severity_number, severity_text, event_name, body, body_json, attributes,"
    " dropped_attributes_count, resource_id, scope_id) from stdin"
)
_SPAN: Final[LiteralString] = (
    "copy relayscope_store.span (start_time, start_nano, end_time, end_nano, trace_id, span_id,"
    " parent_span_id, trace_state, flags, name, kind, status_code, status_message, attributes,"
    " events, links, dropped_attributes_count, dropped_events_count, dropped_links_count,"
    " resource_id, scope_id) from stdin"
)
_POINT: Final[LiteralString] = (
    "copy relayscope_store.metric_point (time, time_nano, start_time, start_nano, name,"
    " description, unit, kind, temporality, monotonic, value, value_int, count, sum, min, max,"
    " detail, flags, attributes, metadata, resource_id, scope_id) from stdin"
)
_RESOURCE: Final[LiteralString] = (
    "insert into relayscope_store.resource (id, component, attributes, schema_url,"
    " dropped_attributes_count) values (%s, 'old', '{}', '', 0) on conflict do nothing"
)
_SCOPE: Final[LiteralString] = (
    "insert into relayscope_store.scope (id, name, version, attributes, schema_url,"
    " dropped_attributes_count) values (%s, 's', '1', '{}', '', 0) on conflict do nothing"
)
_CLAIM: Final[LiteralString] = (
    "insert into relayscope_store.request (digest) select unnest(%s::bytea[]) order by 1"
    " on conflict do nothing returning digest"
)
_SEEN: Final[LiteralString] = (
    "insert into relayscope_store.entry_seen as known (id) values (%s) on conflict (id)"
    " do update set seen_at = now() where known.seen_at < now() - interval '1 hour'"
)
_MAKE: Final[LiteralString] = "select relayscope_store.make_partition(%s, %s, %s, %s)"


class PreviousWriter(threading.Thread):
    """Writes request after request until told to stop, as the previous release does."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)
        self.acknowledged = 0
        self.failed: list[str] = []
        self._url = url
        self._told = threading.Event()

    def stop(self) -> None:
        """Write no more."""
        self._told.set()
        self.join()

    def run(self) -> None:
        """Write; what is not acknowledged is not counted."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute("set lock_timeout = '4s'; set statement_timeout = '8s'")
            while not self._told.is_set():
                try:
                    self._write(connection)
                except psycopg.Error as error:
                    self.failed.append(str(error))
                else:
                    self.acknowledged += 1
                time.sleep(0.005)

    def _write(self, connection: psycopg.Connection[Any]) -> None:
        now = datetime.now(UTC)
        one, resource, scope = uuid4(), uuid4(), uuid4()
        span_id = "\\x" + one.hex[:16]
        with connection.transaction(), connection.cursor() as cursor:
            cursor.execute(_CLAIM, ([one.bytes],))
            cursor.execute(_RESOURCE, (resource,))
            cursor.execute(_SCOPE, (scope,))
            cursor.executemany(_SEEN, [(resource,), (scope,)])
            ends = (resource, scope)
            span = (now, 0, now, 0, one, span_id, None, None, 0, "old", 3, 0, None, "{}", None)
            log = (now, 0, None, None, one, span_id, 0, 1, None, "mcp.message", "old", None, "{}")
            point = (now, 0, None, None, "old", None, None, 1, None, None, 1.0, *[None] * 6, 0)
            rows: dict[LiteralString, tuple[object, ...]] = {
                _SPAN: (*span, None, 0, 0, 0, *ends),
                _LOG: (*log, 0, *ends),
                _POINT: (*point, "{}", None, *ends),
            }
            for statement, row in rows.items():
                with cursor.copy(statement) as copy:
                    copy.write_row(row)


def test_the_previous_release_writes_on_while_the_database_is_updated(
    empty_database_url: str,
) -> None:
    """R21: nothing that it was told is stored is lost, and it makes its partitions as before.

    Until there is a second migration, updating changes nothing but who may do what.
    """
    engine = create_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(text("create schema relayscope_store"))
        config = Config()
        config.set_main_option("script_location", "relayscope.storage:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, PREVIOUS)

    writer = PreviousWriter(empty_database_url)
    writer.start()
    eventually(lambda: writer.acknowledged > 20)
    migrate(engine)
    updated_at = writer.acknowledged
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date()
    bounds = (f"{tomorrow} 00:00+00", f"{tomorrow + timedelta(days=1)} 00:00+00")
    for table in ("log", "span", "metric_point"):
        with engine.begin() as connection:
            connection.exec_driver_sql(_MAKE, (table, f"{table}_{tomorrow:%Y_%m_%d}", *bounds))
    eventually(lambda: writer.acknowledged > updated_at + 20)
    writer.stop()

    assert writer.failed == []
    with engine.connect() as connection:
        assert connection.scalar(
            text("select version_num from relayscope_store.alembic_version")
        ) == (HEAD)
        for view in ("spans", "logs", "messages", "metrics"):
            stored = connection.scalar(text(f"select count(*) from relayscope.{view}"))  # noqa: S608  # Our own names.
            assert stored == writer.acknowledged
    engine.dispose()
