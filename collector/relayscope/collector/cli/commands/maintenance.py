"""`relayscope seal`, `retention`, `archive` and `restore`."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import psycopg
from rich.filesize import decimal
from sqlalchemy.exc import SQLAlchemyError

from relayscope.collector.cli.options import CommandFailed, database_options
from relayscope.collector.config.sanitizer_rules import load_rules
from relayscope.collector.errors import ArchiveError
from relayscope.collector.maintenance.archive import Archive
from relayscope.collector.maintenance.maintenance_round import MaintenanceRound, Removed
from relayscope.collector.maintenance.reasons import (
    moment_text,
    not_archived,
    not_removed,
    not_sealed,
)
from relayscope.collector.maintenance.restore import restore as restore_archive
from relayscope.collector.maintenance.retention_policy import classes, policy
from relayscope.collector.text.times import FORMS, moment
from relayscope.sanitizer import Sanitizer
from relayscope.storage import (
    EmbeddedServer,
    Removal,
    Sealer,
    StorageError,
    check_migrated,
    create_engine,
    maintenance_connection,
    plan,
    sealed_removals,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from sqlalchemy import Engine

    from relayscope.collector.config.settings import Settings

_BUSY: Final = "somebody else seals or removes at this moment: try again in a minute"


@click.command()
@database_options()
def seal(*, settings: Settings) -> None:
    """Pack and index what is past, now, as `relayscope serve` does by itself."""
    with _engine(settings) as engine:
        sealer = Sealer(engine, classes(settings), after=settings.seal_after)
        has_sealed = False
        for sealed in sealer.seal(quiet=False):
            has_sealed = True
            click.echo(
                f"{sealed.name}: {sealed.rows:,} records, {decimal(sealed.bytes_before)} became "
                f"{decimal(sealed.bytes_after)} in {sealed.seconds:.1f} s"
            )
        if not has_sealed:
            with _owner(engine) as connection:
                click.echo(not_sealed(connection, settings))


@click.command()
@click.option("--dry-run", is_flag=True, help="Say what would go, and remove nothing.")
@database_options("archive_dir")
def retention(*, settings: Settings, dry_run: bool) -> None:
    """Remove what has been kept long enough, now, as `relayscope serve` does by itself.

    How long is what, is in the settings: keep_logs, keep_traces, keep_metrics, keep_apart,
    max_database_bytes.
    """
    with _engine(settings) as engine:
        with _owner(engine) as connection:
            removals = plan(connection, policy(settings))
            why_none = not_removed(connection, settings)
        for removal in removals:
            click.echo(_said_of(removal))
        total = sum(removal.what.bytes for removal in removals)
        if dry_run:
            click.echo(f"would remove {len(removals)} segments, {decimal(total)}")
        elif removals:
            _say_removed(MaintenanceRound(engine, settings).remove())
        if not removals:
            click.echo(why_none)


@click.command()
@click.option(
    "--until",
    type=moment,
    required=True,
    metavar="TIME",
    help=f"Archive what ends before this time: {FORMS}.",
)
@database_options("archive_dir")
def archive(*, settings: Settings, until: datetime) -> None:
    """Write records to files, and leave them in the database.

    For each sealed segment two files: NAME.jsonl.gz, OTLP's JSON, a request per line; NAME.json,
    how many records and the SHA-256 of the lines. Retention does the same before it removes, if
    archive_dir is set.
    """
    if settings.archive_dir is None:
        raise click.UsageError("give an --archive-dir")
    with _engine(settings) as engine, _owner(engine) as connection:
        old = [removal for removal in sealed_removals(connection) if removal.to_time <= until]
        for removal in old:
            name = Archive(settings.archive_dir).write(connection, removal)
            click.echo(f"{name}: {_said_of(removal)}")
        if not old:
            click.echo(not_archived(connection, until))


@click.command()
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option(
    "--keep-days",
    type=click.IntRange(min=1),
    default=7,
    show_default=True,
    metavar="DAYS",
    help="Leave the records alone for so long, however old they are.",
)
@database_options("sanitizer_rules")
def restore(*, settings: Settings, files: tuple[Path, ...], keep_days: int) -> None:
    """Store the records of archives again. FILES are the NAME.json of each.

    All of an archive is verified before anything of it is stored. Records that the database still
    has are not stored twice.
    """
    sanitizer = Sanitizer.from_rules(load_rules(settings))
    with _engine(settings) as engine:
        for file in files:
            restored = restore_archive(engine, sanitizer, file, timedelta(days=keep_days))
            said = f"{file.name}: {restored.stored:,} records"
            if restored.were_stored:
                said += f"; {restored.were_stored:,} more are stored already"
            if restored.refused:
                said += f"; PostgreSQL refused {restored.refused:,}"
            click.echo(said)


def _say_removed(removed: Removed | None) -> None:
    if removed is None:
        raise CommandFailed(_BUSY)
    click.echo(f"removed {removed.rows:,} records")
    if removed.in_use:
        click.echo(f"{removed.in_use:,} stay until the next time: somebody reads them")
    if removed.not_archived:
        rows = sum(each.rows for each in removed.not_archived)
        raise CommandFailed(
            f"{rows:,} records stay, because they could not be archived: "
            f"{removed.not_archived[0].error}"
        )


def _said_of(removal: Removal) -> str:
    what = removal.what
    return (
        f"{removal.signal:12} {moment_text(removal.from_time)} to {moment_text(removal.to_time)}  "
        f"{removal.class_ or 'unsealed':12} {what.rows:>12,} records {decimal(what.bytes):>10}  "
        f"{removal.reason}"
    )


@contextmanager
def _engine(settings: Settings) -> Iterator[Engine]:
    """The owner's, with what can go wrong made into one line."""
    url = settings.upkeep_database_url or settings.database_url
    try:
        with ExitStack() as held:
            if url is not None:
                engine = create_engine(url.get_secret_value())
            else:
                engine = create_engine(
                    held.enter_context(EmbeddedServer.join(settings.data_dir)).url
                )
            held.callback(engine.dispose)
            check_migrated(engine)
            yield engine
    except (StorageError, ArchiveError, ValueError) as error:
        raise CommandFailed(str(error)) from None
    except (psycopg.Error, SQLAlchemyError) as error:
        said = str(getattr(error, "orig", None) or error).splitlines()
        raise CommandFailed(f"PostgreSQL refused: {said[0] if said else ''}") from None


@contextmanager
def _owner(engine: Engine) -> Iterator[psycopg.Connection[Any]]:
    with maintenance_connection(engine) as connection:
        if connection is None:
            raise CommandFailed(_BUSY)
        yield connection
