"""Reading from an embedded PostgreSQL, whoever else uses it."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest

from relayscope.collector.config.settings import Settings
from relayscope.collector.query.errors import StatementRefused
from relayscope.storage import EmbeddedServer, ServerDidNotStart
from tests.collector.reading import samples
from tests.collector.reading.conftest import COMMAND
from tests.collector.reading.samples import TRACE_ID
from tests.collector.reading.test_statement import rows_of
from tests.fix_collector import PATIENCE, Collector, collector_environment

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder in which a trace is stored, and that nobody serves."""
    folder = Path(tempfile.mkdtemp(prefix="rs"))
    try:
        with EmbeddedServer.start(folder) as server:
            samples.store(server.url, *samples.relayed_call())
        yield folder
    finally:
        shutil.rmtree(folder)


def _read(*arguments: str, data_dir: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments, "--data-dir", str(data_dir)],
        env={**collector_environment(), **variables},
        capture_output=True,
        encoding="utf-8",
        timeout=PATIENCE,
        check=False,
    )


def test_a_folder_that_nobody_serves_can_be_read(data_dir: Path) -> None:
    """PostgreSQL is started for as long as it takes, and gone afterwards."""
    result = _read("trace", TRACE_ID.hex, data_dir=data_dir)
    assert result.returncode == 0, result.stderr
    assert "tools/call get_current_time" in result.stdout
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(EmbeddedServer.url_of(data_dir))


def test_a_folder_can_be_read_while_it_is_served(data_dir: Path) -> None:
    """Readers join the collector's PostgreSQL, and leave it running."""
    with Collector(
        *("--data-dir", str(data_dir), "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"),
        # The trace is of 2025, and would be removed at once.
        environment={"RELAYSCOPE_KEEP_TRACES": "P3650D", "RELAYSCOPE_KEEP_LOGS": "P3650D"},
    ) as collector:
        collector.wait_until_ready()
        for _ in range(2):
            result = _read("sql", "select count(*) from spans", data_dir=data_dir)
            assert (result.stdout, result.stderr) == ("count\n6\n", "")
        assert _read("trace", "--last", data_dir=data_dir).stdout.startswith("trace ")
        assert collector.stop() == 0


def test_variables_that_are_meant_for_other_servers_do_not_count(data_dir: Path) -> None:
    """Commands that read and that write find the embedded PostgreSQL, and speak UTF-8 with it."""
    variables = {
        "PGHOST": "192.0.2.1",
        "PGHOSTADDR": "192.0.2.1",
        "PGPORT": "1",
        "PGUSER": "nobody",
        "PGDATABASE": "nowhere",
        "PGSERVICE": "unknown",
        "PGOPTIONS": "-c search_path=nowhere -c unknown=setting",
        "PGCLIENTENCODING": "LATIN1",
        "PGDATESTYLE": "German",
        "PGSSLMODE": "verify-full",
    }
    read = _read("sql", "select '☃', count(*) from spans", data_dir=data_dir, **variables)
    assert (read.stdout, read.stderr) == ("?column?\tcount\n☃\t6\n", "")
    sealed = _read("seal", data_dir=data_dir, **variables)
    assert (sealed.returncode, sealed.stderr) == (0, "")


def test_a_folder_without_data_is_said_so_and_left_alone(tmp_path: Path) -> None:
    """A mistyped folder does not become a database."""
    nowhere = tmp_path / "nowhere"
    for arguments in (["trace", "--last"], ["sql", "select 1"]):
        result = _read(*arguments, data_dir=nowhere)
        assert result.returncode == 1
        assert result.stderr.startswith(f"Error: nothing is stored in {nowhere}")
    assert not nowhere.exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a user to become another")
def test_a_folder_of_another_user_is_said_so(tmp_path: Path) -> None:
    """Reading in it is refused by the system, which takes one line."""
    own = tmp_path / "own"
    own.mkdir(mode=0o700)

    os.seteuid(65_534)
    try:
        with pytest.raises(ServerDidNotStart, match="Permission denied; does it belong to another"):
            EmbeddedServer.join(own / "data")
    finally:
        os.seteuid(0)


def test_who_looks_for_what_the_demo_showed_is_told_where_it_is(data_dir: Path) -> None:
    """The demo has a folder of its own, below the one that is served."""
    around = data_dir.parent / f"{data_dir.name}-around"
    around.mkdir()
    try:
        (around / "demo").symlink_to(data_dir)
        said = _read("traces", data_dir=around).stderr
        assert said.endswith(f"what `relayscope demo` showed is in --data-dir {around / 'demo'}\n")
    finally:
        shutil.rmtree(around)


def test_a_database_without_our_tables_is_said_so(tmp_path: Path) -> None:
    """As it is before the first collector has started."""
    folder = Path(tempfile.mkdtemp(prefix="rs"))
    try:
        EmbeddedServer.start(folder).stop()
        result = _read("trace", "--last", data_dir=folder)
        assert result.returncode == 1
        assert "relayscope has no tables of this version in this database" in result.stderr
    finally:
        shutil.rmtree(folder)


def test_a_reader_who_logs_in_as_such_cannot_become_anyone_else(data_dir: Path) -> None:
    """Not even with what `set role` would let a superuser's session get away with."""
    settings = Settings(data_dir=data_dir)
    trick = (
        "select set_config('role', 'none', false),"
        " ts_stat('select to_tsvector(pg_read_file(''postgresql.conf''))')"
    )
    with EmbeddedServer.start(data_dir):
        assert rows_of(settings, "select session_user, count(*) from spans") == [
            ("relayscope_reader", "6")
        ]
        with pytest.raises(StatementRefused, match="permission denied"):
            rows_of(settings, trick)
