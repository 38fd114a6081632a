"""Archive and restore: what is removed can be read without us, and comes back as it was."""

from __future__ import annotations

import gzip
import json
import os
import re
import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, text

from relayscope.collector.cli.main import main
from relayscope.collector.config.settings import load
from relayscope.collector.errors import ArchiveError
from relayscope.collector.ingest.decode import decode
from relayscope.collector.maintenance.archive import Archive, verify
from relayscope.collector.maintenance.maintenance_round import MaintenanceRound
from relayscope.collector.maintenance.restore import restore
from relayscope.collector.signals import LOGS, METRICS, TRACES
from relayscope.sanitizer import Sanitizer
from relayscope.storage import (
    RetentionClass,
    Sealer,
    Writer,
    maintenance_connection,
    remove,
    sealed_removals,
)
from tests import otlp_samples
from tests.fix_disk import fill
from tests.storage.samples import NOW, batch, log

SAMPLES: Final = {
    TRACES: otlp_samples.traces(),
    LOGS: otlp_samples.logs(),
    METRICS: otlp_samples.metrics(),
}
VIEWS: Final = ("every_span", "every_log", "every_point")
NOTHING: Final[dict[str, list[str]]] = {view: [] for view in VIEWS}


@pytest.fixture
def stored(engine: Engine) -> dict[str, list[str]]:
    """Requests with every field set, sealed; their rows as text."""
    writer = Writer(engine, past_days=36_500)
    for signal, request in SAMPLES.items():
        raw = request.SerializeToString()
        writer.write([decode(signal, request, raw, Sanitizer.default(), 0).batch])
    writer.close()
    assert list(Sealer(engine, [RetentionClass("errors", errors=True)]).seal(quiet=False))
    return contents(engine)


def contents(engine: Engine) -> dict[str, list[str]]:
    """Every row of every signal, with all its columns, as text."""
    with engine.connect() as connection:
        return {
            view: sorted(
                connection.scalars(
                    text(f"select record::text from relayscope_store.{view} as record")  # noqa: S608  # Our own names.
                )
            )
            for view in VIEWS
        }


def archive_all(engine: Engine, folder: Path) -> list[Path]:
    """Archive and remove all that is stored; the descriptions of the archives."""
    with maintenance_connection(engine) as connection:
        assert connection is not None
        names = []
        for removal in sealed_removals(connection):
            names.append(Archive(folder).write(connection, removal))
            assert remove(connection, removal, names[-1])
    return [folder / f"{name}.json" for name in names]


def test_every_field_comes_back(
    engine: Engine, stored: dict[str, list[str]], tmp_path: Path
) -> None:
    """Archived, removed and restored, each column of each record is what it was; twice is once."""
    archives = archive_all(engine, tmp_path)
    assert contents(engine) == NOTHING
    for _ in range(2):
        for file in archives:
            restore(engine, Sanitizer.default(), file, timedelta(days=1))
        assert contents(engine) == stored


def test_what_is_still_stored_is_not_stored_twice(
    engine: Engine, database_url: str, stored: dict[str, list[str]], tmp_path: Path
) -> None:
    """Archives whose records were left in the database add none of any signal, and say so."""
    relayscope(database_url, "archive", "--until", "2100-01-01", "--archive-dir", str(tmp_path))
    archives = list(map(str, tmp_path.glob("*.json")))
    for _ in range(2):
        back = relayscope(database_url, "restore", *archives)
        assert back.output.count(": 0 records; ") == len(archives)
        assert contents(engine) == stored


def test_equal_records_are_restored_as_often_as_they_are_missing(
    engine: Engine, tmp_path: Path
) -> None:
    """Of four equal log records two have been lost: an archive of the four brings back two."""
    request = otlp_samples.logs()
    records = request.resource_logs[0].scope_logs[0].log_records
    del records[1:]
    records.extend([records[0]] * 3)
    batch = decode(LOGS, request, b"", Sanitizer.default(), 0).batch
    writer = Writer(engine, past_days=36_500)
    writer.write([batch])
    assert list(Sealer(engine, []).seal(quiet=False))
    four = contents(engine)
    (archive,) = archive_all(engine, tmp_path)
    writer.write([replace(batch, digest=b"others", logs=batch.logs[:2])])
    writer.close()
    assert restore(engine, Sanitizer.default(), archive, timedelta(days=1)) == (2, 2, 0)
    assert contents(engine) == four


def test_what_was_removed_again_is_restored_again(
    engine: Engine, stored: dict[str, list[str]], tmp_path: Path
) -> None:
    """A second restoring brings back what was removed after the first, however soon."""
    archives = archive_all(engine, tmp_path)
    for _ in range(2):
        for file in archives:
            assert restore(engine, Sanitizer.default(), file, timedelta(days=1)).stored
        assert contents(engine) == stored
        assert list(Sealer(engine, [RetentionClass("errors", errors=True)]).seal(quiet=False))
        archive_all(engine, tmp_path)
        assert contents(engine) == NOTHING


def test_what_comes_late_does_not_take_the_place_of_an_archive(
    engine: Engine, tmp_path: Path
) -> None:
    """Records of a day whose others were archived and removed have an archive of their own."""
    do = MaintenanceRound(engine, load({"archive_dir": tmp_path}))
    for body in ("first", "second", "third"):
        writer = Writer(engine)
        writer.write([batch(logs=[log(body, at=NOW - 400 * 86_400 * 10**9)])])
        writer.close()
        do.remove()
        assert contents(engine) == NOTHING
    archives = [gzip.decompress(file.read_bytes()) for file in tmp_path.glob("*.jsonl.gz")]
    assert len(archives) == 3
    for text_of_one in (b"first", b"second", b"third"):
        assert len([lines for lines in archives if text_of_one in lines]) == 1
    for manifest in tmp_path.glob("*.json"):
        restore(engine, Sanitizer.default(), manifest, timedelta(days=7))
    assert len(contents(engine)["every_log"]) == 3


def test_an_archive_is_otlp(engine: Engine, stored: dict[str, list[str]], tmp_path: Path) -> None:
    """Each line is a request as OTLP's JSON has it, which gzip and any JSON reader can read."""
    archive_all(engine, tmp_path)
    kinds: set[str] = set()
    for file in tmp_path.glob("*.jsonl.gz"):
        for line in gzip.decompress(file.read_bytes()).splitlines():
            request: dict[str, Any] = json.loads(line)
            kinds |= request.keys()
            (groups,) = request.values()
            assert groups[0]["resource"]["attributes"]
    assert kinds == {"resourceSpans", "resourceLogs", "resourceMetrics"}


@pytest.mark.parametrize("harm", ["a byte", "the end", "a line"])
def test_a_damaged_archive_is_not_restored(
    engine: Engine, stored: dict[str, list[str]], tmp_path: Path, harm: str
) -> None:
    """Nothing of it is stored, and the message says so."""
    files = archive_all(engine, tmp_path)
    lines = files[0].with_suffix(".jsonl.gz")
    content = lines.read_bytes()
    if harm == "a byte":
        plain = gzip.decompress(content)
        lines.write_bytes(gzip.compress(plain.replace(b'"', b" ", 1)))
    elif harm == "the end":
        lines.write_bytes(content[:-9])
    else:
        lines.write_bytes(gzip.compress(gzip.decompress(content) * 2))
    with pytest.raises(ArchiveError):
        verify(files[0])
    with pytest.raises(ArchiveError):
        restore(engine, Sanitizer.default(), files[0], timedelta(days=1))
    assert contents(engine) == NOTHING


def relayscope(database_url: str, *arguments: str) -> Result:
    """Run a command on the database."""
    return CliRunner().invoke(
        main, [*arguments, "--database-url", database_url], catch_exceptions=False
    )


def test_commands_seal_archive_remove_and_restore(
    engine: Engine, database_url: str, stored: dict[str, list[str]], tmp_path: Path
) -> None:
    """A dry run changes nothing; records go to files, come back, and stay."""
    folder = ("--archive-dir", str(tmp_path))
    assert relayscope(database_url, "seal").exit_code == 0
    dry = relayscope(database_url, "retention", "--dry-run")
    assert dry.exit_code == 0
    assert "would remove" in dry.output
    assert "log  " in dry.output
    assert contents(engine) == stored
    archived = relayscope(database_url, "archive", "--until", "2100-01-01", *folder)
    assert archived.exit_code == 0
    assert contents(engine) == stored
    before = sorted(tmp_path.iterdir())
    assert relayscope(database_url, "retention", *folder).exit_code == 0
    assert contents(engine) == NOTHING
    assert sorted(tmp_path.iterdir()) == before
    back = relayscope(database_url, "restore", *(map(str, tmp_path.glob("*.json"))))
    assert back.exit_code == 0
    assert contents(engine) == stored
    assert "would remove 0 segments" in relayscope(database_url, "retention", "--dry-run").output


@pytest.mark.usefixtures("stored")
def test_who_gives_the_records_of_an_archive_is_told_what_to_give(
    engine: Engine, database_url: str, tmp_path: Path
) -> None:
    """The file beside it, which says what is in there."""
    files = archive_all(engine, tmp_path)
    result = relayscope(database_url, "restore", str(files[0].with_suffix(".jsonl.gz")))
    assert result.exit_code == 1
    assert f"give {files[0].name}, which is beside" in result.output


def test_records_that_were_never_sealed_are_counted_as_they_go(
    engine: Engine, database_url: str
) -> None:
    """Exactly, also where PostgreSQL has not yet looked how many there are."""
    writer = Writer(engine, past_days=36_500)
    at = NOW - 400 * 86_400 * 10**9
    writer.write([batch(logs=[log(f"old {number}", at=at + number) for number in range(7)])])
    writer.close()
    with engine.begin() as connection:
        connection.execute(text("select pg_stat_reset()"))
    dry = relayscope(database_url, "retention", "--dry-run")
    assert re.search(r"\b7 records\b", dry.output)
    assert "removed 7 records" in relayscope(database_url, "retention").output


def test_nothing_is_removed_that_could_not_be_archived(
    engine: Engine, database_url: str, stored: dict[str, list[str]], tmp_path: Path
) -> None:
    """Records stay if archives cannot be written, and the command fails with the reason."""
    blocked = tmp_path / "a file"
    blocked.write_text("")
    result = relayscope(database_url, "retention", "--archive-dir", str(blocked / "folder"))
    assert result.exit_code == 1
    assert "removed 0 records" in result.output
    assert "Not a directory" in result.output
    assert contents(engine) == stored


def test_a_full_disk_is_named_and_nothing_half_written_stays(
    engine: Engine, database_url: str, stored: dict[str, list[str]], small_disk: Path
) -> None:
    """The records stay, the files that could not be finished go, and the command fails."""
    before = {fill(small_disk)}
    result = relayscope(database_url, "retention", "--archive-dir", str(small_disk))
    assert result.exit_code == 1
    assert "No space left on device" in result.output
    assert set(small_disk.iterdir()) == before
    assert contents(engine) == stored


def test_only_their_user_may_read_archives(
    engine: Engine, stored: dict[str, list[str]], tmp_path: Path
) -> None:
    """The folders that are made for them and their files, under an umask that forbids nothing."""
    assert stored
    before = os.umask(0)
    try:
        archive_all(engine, tmp_path / "of" / "us")
    finally:
        os.umask(before)
    made = [tmp_path / "of", *(tmp_path / "of").rglob("*")]
    modes = {(path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in made}
    assert modes == {(True, 0o700), (False, 0o600)}
