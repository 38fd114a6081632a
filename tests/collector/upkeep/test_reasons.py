"""Upkeep by hand says what it did, and why there was nothing to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine

from relayscope.collector.cli.main import main
from relayscope.collector.config.settings import load
from relayscope.collector.maintenance.reasons import moment_text, not_removed
from relayscope.storage import Sealer, Writer, hold, maintenance_connection, sealed_removals
from tests.storage.samples import NOW, batch, log

if TYPE_CHECKING:
    from pathlib import Path


def relayscope(database_url: str, *arguments: str) -> Result:
    """Run a command on the database."""
    result = CliRunner().invoke(main, [*arguments, "--database-url", database_url])
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture
def stored(engine: Engine) -> Engine:
    """A record of now, and one of three days ago that is sealed."""
    writer = Writer(engine)
    writer.write([batch(logs=[log(at=NOW), log(at=NOW - 3 * 86_400 * 10**9)])])
    writer.close()
    assert list(Sealer(engine).seal(quiet=False))
    return engine


def test_nothing_to_seal_is_explained(stored: Engine, database_url: str) -> None:
    """By when the next day is due."""
    said = relayscope(database_url, "seal").output
    assert "nothing was sealed: what is stored can be sealed 1:00:00 (seal_after) after" in said
    assert " UTC;" in said


def test_no_records_to_seal_are_said_to_be_none(engine: Engine, database_url: str) -> None:
    """An empty database is no mystery."""
    assert engine
    assert "no records wait for it" in relayscope(database_url, "seal").output


def test_nothing_to_remove_is_explained(stored: Engine, database_url: str) -> None:
    """By how long what is kept, and how old the oldest are."""
    for arguments in (["--dry-run"], []):
        said = relayscope(database_url, "retention", *arguments).output
        assert "kept are traces 30 days, logs 30 days, metrics 30 days" in said
        assert "the oldest are of 20" in said


@pytest.mark.parametrize("days", [31, 40, 80])
def test_old_records_that_are_not_sealed_are_not_said_to_be_young(
    engine: Engine, database_url: str, days: int
) -> None:
    """They go once they are sealed; those that came too late for a partition are no exception."""
    at = NOW - days * 86_400 * 10**9
    writer = Writer(engine)
    writer.write([batch(logs=[log(at=at)])])
    writer.close()
    said = relayscope(database_url, "retention").output
    assert f"records of {datetime.fromtimestamp(at / 10**9, UTC):%Y-%m-%d}" in said
    assert "are not sealed, which `relayscope seal` does now" in said
    assert "long enough" not in said


def test_a_database_that_is_too_large_because_records_are_held_says_which(
    stored: Engine,
) -> None:
    """Restored records stay beyond max_database_bytes: their time is told, and until when."""
    with maintenance_connection(stored) as connection:
        assert connection is not None
        (sealed,) = sealed_removals(connection)
        hold(connection, sealed.from_time, sealed.to_time, timedelta(days=7))
        # As if it were larger than the least bound that can be set.
        small = load({}).model_copy(update={"max_database_bytes": 2**20})
        said = not_removed(connection, small)
    assert "more than max_database_bytes allows (1.0 MB)" in said
    assert f"\n  {moment_text(sealed.from_time)} to {moment_text(sealed.to_time)}, held" in said


def test_nothing_to_archive_is_explained(stored: Engine, database_url: str, tmp_path: Path) -> None:
    """By when the first that could be archived ends; `--until` takes what `--since` takes."""
    folder = ("--archive-dir", str(tmp_path))
    for until in ("7d", "2020-01-01", "2020-01-01T10:00:00+02:00"):
        said = relayscope(database_url, "archive", "--until", until, *folder).output
        assert "nothing was archived: the first sealed records end at 20" in said
    said = relayscope(database_url, "archive", "--until", "1d", *folder).output
    assert "1 records" in said
    assert list(tmp_path.iterdir())


def test_what_is_not_sealed_cannot_be_archived(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    """And says what does seal it."""
    assert engine
    arguments = ("archive", "--until", "1d", "--archive-dir", str(tmp_path))
    assert "none are sealed yet (`relayscope seal`" in relayscope(database_url, *arguments).output
