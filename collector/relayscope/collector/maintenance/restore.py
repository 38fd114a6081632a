"""Archives back into the database."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NamedTuple

from relayscope.collector.errors import ArchiveError, RequestRefused
from relayscope.collector.ingest.decode import decode
from relayscope.collector.ingest.decode.otlp_json import parse_json
from relayscope.collector.maintenance.archive import lines_of, verify
from relayscope.collector.maintenance.retention_policy import TABLES
from relayscope.storage import Writer, hold, maintenance_connection, unstored

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from relayscope.sanitizer import Sanitizer
    from relayscope.storage import Batch

_SIGNALS: Final = {table: signal for signal, table in TABLES.items()}

_ANY_AGE: Final = 36_500
"""Days: archives are old, and their records shall be found by their time."""

_SECONDS: Final = 60.0


class Restored(NamedTuple):
    """The fate of the records of an archive.

    Attributes:
        stored: Number of those that were stored again.
        were_stored: Number of those that the database still had, or had again.
        refused: Number of those that it did not take.
    """

    stored: int
    were_stored: int
    refused: int


def restore(engine: Engine, sanitizer: Sanitizer, manifest: Path, keep: timedelta) -> Restored:
    """Store the records of an archive again, and keep them for so long whatever retention says.

    All of the archive is verified before anything is stored. Records that the database has are not
    stored twice. Nobody seals or removes meanwhile.

    Raises:
        ArchiveError: It cannot be read, or is not what was written.
        StorageError: Not all of it is stored; restore it again.
    """
    contents = verify(manifest)
    signal = _SIGNALS.get(contents.table)
    if signal is None:
        raise ArchiveError(f"{manifest}: records of an unknown kind: {contents.table}")
    stored = were_stored = 0
    with maintenance_connection(engine) as connection:
        if connection is None:
            raise ArchiveError("sealing or retention is at work: try again in a minute")
        hold(connection, contents.from_time, contents.to_time, keep)
        writer = Writer(engine, timeout=timedelta(seconds=_SECONDS), past_days=_ANY_AGE)
        try:
            for text in lines_of(manifest):
                request = parse_json(signal, text)
                batch = decode(signal, request, text, sanitizer, time.time_ns()).batch
                new = unstored(connection, batch)
                were_stored += _rows_in(batch) - _rows_in(new)
                stored += _store(writer, new)
        except RequestRefused as error:
            raise ArchiveError(f"{manifest}: {error}") from error
        finally:
            writer.close()
    return Restored(stored, were_stored, contents.records - stored - were_stored)


def _store(writer: Writer, batch: Batch) -> int:
    rows = _rows_in(batch)
    if not rows:
        return 0
    # Its digest would say for a while that they are stored, even when they have been removed.
    (outcome,) = writer.write([replace(batch, digest=os.urandom(len(batch.digest)))])
    return rows - outcome.rejected


def _rows_in(batch: Batch) -> int:
    return len(batch.spans) + len(batch.logs) + len(batch.points)
