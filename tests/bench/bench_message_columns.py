"""Ways to keep MCP messages: the cost of each to write, to read and to store.

usage: python -m tests.bench.bench_message_columns

The same rows go into tables that differ in one thing (`message_columns.sql`), by binary COPY of
bytes that were made before, so that only PostgreSQL's work is seen. A column that the collector
sends costs it, on top, what `write_row` needs for a value.
"""

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any, Final

import psycopg
from psycopg.sql import SQL, Composable, Identifier

from relayscope.storage import EmbeddedServer

_ROUNDS: Final = 5
_TABLES: Final = ("expressions", "generated", "sent", "own", "by_time", "severe", "by_peer")

_READ: Final = SQL(
    "select count(*), max(length(body)) from {} where event_name = 'mcp.message'"
    " and {} = 'tools/call' and {} = 'tool_7'"
)
_READS: Final = {
    "expressions": (
        SQL("attributes ->> 'mcp.method.name'"),
        SQL("attributes ->> 'gen_ai.tool.name'"),
    ),
    "generated": (Identifier("method"), Identifier("tool")),
}
_SIZES: Final = "select pg_table_size(%s::regclass), pg_indexes_size(%s::regclass)"


def main() -> None:
    """Print the table."""
    with (
        tempfile.TemporaryDirectory(prefix="relayscope-bench-") as folder,
        EmbeddedServer.start(Path(folder)) as server,
        psycopg.connect(server.url, autocommit=True) as connection,
    ):
        connection.execute("set max_parallel_workers_per_gather = 0")
        connection.execute(Path(__file__).with_name("message_columns.sql").read_bytes())
        rows = int(_one(connection, "select count(*) from sample"))
        # `generated` knows how the values of all typed columns are made.
        _copy_in(connection, "generated", _columns("sample", connection), _sample(connection))
        print(f"{'':12}  {'write µs':>8}  {'heap B':>6}  {'index B':>7}  {'read µs':>7}")
        for table in _TABLES:
            columns = _columns("sample" if table == "generated" else table, connection)
            source = SQL("select {} from generated").format(columns)
            rows_sent = _copy_out(connection, source)
            seconds = [_copy_in(connection, table, columns, rows_sent) for _ in range(_ROUNDS)]
            heap, indexes = connection.execute(_SIZES, (table, table)).fetchone() or (0, 0)
            print(
                f"{table:12}  {median(seconds) / rows * 1e6:8.1f}  {heap / rows:6.0f}"
                f"  {indexes / rows:7.0f}  {_read(connection, table) / rows * 1e6:7.2f}"
            )


def _one(connection: psycopg.Connection[Any], statement: Any) -> Any:
    row = connection.execute(statement).fetchone()
    return row[0] if row else None


def _columns(table: str, connection: psycopg.Connection[Any]) -> Composable:
    nothing = connection.execute(SQL("select * from {} limit 0").format(Identifier(table)))
    return SQL(", ").join(Identifier(column.name) for column in nothing.description or ())


def _sample(connection: psycopg.Connection[Any]) -> list[bytes]:
    return _copy_out(connection, SQL("select * from sample"))


def _copy_out(connection: psycopg.Connection[Any], source: Composable) -> list[bytes]:
    statement = SQL("copy ({}) to stdout (format binary)").format(source)
    with connection.cursor().copy(statement) as copy:
        return [bytes(data) for data in copy]


def _copy_in(
    connection: psycopg.Connection[Any], table: str, columns: Composable, rows: list[bytes]
) -> float:
    """Fill the table, which was emptied before; return the seconds."""
    connection.execute(SQL("truncate {}").format(Identifier(table)))
    connection.execute("checkpoint")
    statement = SQL("copy {} ({}) from stdin (format binary)").format(Identifier(table), columns)
    data = b"".join(rows)
    started = time.perf_counter()
    with connection.cursor().copy(statement) as copy:
        for start in range(0, len(data), 2**18):
            copy.write(data[start : start + 2**18])
    return time.perf_counter() - started


def _read(connection: psycopg.Connection[Any], table: str) -> float:
    """Return the seconds of a scan that looks at two of the columns; 0 where it is not asked."""
    if table not in _READS:
        return 0.0
    connection.execute(SQL("vacuum (analyze) {}").format(Identifier(table)))
    statement = _READ.format(Identifier(table), *_READS[table])
    seconds = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        connection.execute(statement)
        seconds.append(time.perf_counter() - started)
    return median(seconds)


if __name__ == "__main__":
    main()
