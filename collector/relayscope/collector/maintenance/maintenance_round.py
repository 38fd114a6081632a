"""One round of maintenance: past partitions are sealed, expired records archived and removed."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

import psycopg

from relayscope.collector.errors import ArchiveError
from relayscope.collector.maintenance.archive import Archive
from relayscope.collector.maintenance.retention_policy import classes, policy
from relayscope.storage import (
    Sealer,
    database_bytes,
    drop_unused_tables,
    forget_unused,
    maintenance_connection,
    move_default_rows,
    plan,
    remove,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from relayscope.collector.config.settings import Settings

_logger = logging.getLogger(__name__)


class NotArchived(NamedTuple):
    """Records that stay because they could not be archived, and why."""

    rows: int
    error: str


class Removed(NamedTuple):
    """The fate of the records that had been kept long enough.

    Attributes:
        rows: Number of those that were removed.
        in_use: Number of those that somebody reads: they stay until the next time.
        not_archived: Those that could not be archived.
    """

    rows: int
    in_use: int
    not_archived: tuple[NotArchived, ...]


class MaintenanceRound:
    """Does it, again and again; one at a time per database, whoever else tries."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        """Prepare; nothing is connected yet.

        Args:
            engine: Of the owner of the tables, or of one who may become that.
            settings: Say what to seal, how long to keep it and where to archive it.
        """
        self._engine = engine
        self._policy = policy(settings)
        self._sealer = Sealer(engine, classes(settings), after=settings.seal_after)
        self._archive = Archive(settings.archive_dir) if settings.archive_dir else None
        self._is_too_large = False

    def interrupt(self) -> None:
        """Make what runs in another thread end soon."""
        self._sealer.interrupt()

    def __call__(self, *, quiet: bool = True) -> None:
        """Do one round.

        Args:
            quiet: Seal only what nobody has written to since the last round.

        Raises:
            psycopg.Error: PostgreSQL went away or refused; the next round goes on.
        """
        for sealed in self._sealer.seal(quiet=quiet):
            _logger.info("sealed", extra=sealed._asdict())
        self.remove()
        self._tell_if_too_large()

    def remove(self) -> Removed | None:
        """Archive and remove what has been kept long enough; None if somebody else does that now.

        Raises:
            psycopg.Error: PostgreSQL went away or refused; the next round goes on.
        """
        rows = in_use = 0
        not_archived: list[NotArchived] = []
        with maintenance_connection(self._engine) as connection:
            if connection is None:
                return None
            move_default_rows(connection)
            for removal in plan(connection, self._policy):
                said = {
                    "table": removal.signal,
                    "class": removal.class_,
                    "from_time": removal.from_time.isoformat(),
                    "reason": removal.reason,
                }
                try:
                    name = self._archive.write(connection, removal) if self._archive else None
                except (ArchiveError, psycopg.DataError) as error:
                    _logger.error("not removed", extra={**said, "error": str(error)})  # noqa: TRY400  # its text says it all
                    not_archived.append(NotArchived(removal.what.rows, str(error)))
                    continue
                if remove(connection, removal, name):
                    rows += removal.what.rows
                    _logger.info("removed", extra={**said, "records": removal.what.rows})
                else:
                    in_use += removal.what.rows
            drop_unused_tables(connection)
            if rows:
                forget_unused(connection)
        return Removed(rows, in_use, tuple(not_archived))

    def _tell_if_too_large(self) -> None:
        """Warn once when what may not be removed yet is more than the bound of the database."""
        most = self._policy.max_bytes
        if most is None:
            return
        with maintenance_connection(self._engine) as connection:
            if connection is None:
                return
            size = database_bytes(connection)
        if size > most and not self._is_too_large:
            _logger.warning(
                "the database is larger than max_database_bytes: of the rest nothing may be "
                "removed yet (`relayscope retention --dry-run` says why)",
                extra={"bytes": size, "max_database_bytes": int(most)},
            )
        self._is_too_large = size > most
