"""Archives back into the database."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from relayscope.collector.errors import ArchiveError, RequestRefused
from relayscope.collector.ingest.decode import decode
from relayscope.collector.ingest.decode.otlp_json import parse_json
from relayscope.collector.maintenance.archive import lines_of, verify
from relayscope.collector.maintenance.retention_policy import TABLES
from relayscope.storage import Writer, hold, maintenance_connection

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from relayscope.sanitizer import Sanitizer

_SIGNALS: Final = {table: signal for signal, table in TABLES.items()}

_ANY_AGE: Final = 36_500
"""Days: archives are old, and their records shall be found by their time."""

_SECONDS: Final = 60.0


def restore(engine: Engine, sanitizer: Sanitizer, manifest: Path, keep: timedelta) -> int:
    """Store the records of an archive again, and keep them for so long whatever retention says.

    All of the archive is verified before anything is stored. A line that was restored already, not
    longer ago than repeated requests are recognised, is not stored again.

    Returns:
        The number of records.

    Raises:
        ArchiveError: It cannot be read, or is not what was written.
        StorageError: Not all of it is stored; restore it again.
    """
    contents = verify(manifest)
    signal = _SIGNALS.get(contents.table)
    if signal is None:
        raise ArchiveError(f"{manifest}: records of an unknown kind: {contents.table}")
    with maintenance_connection(engine) as connection:
        if connection is None:
            raise ArchiveError("sealing or retention is at work: try again in a minute")
        hold(connection, contents.from_time, contents.to_time, keep)
    writer = Writer(engine, timeout=timedelta(seconds=_SECONDS), past_days=_ANY_AGE)
    try:
        for text in lines_of(manifest):
            request = parse_json(signal, text)
            writer.write([decode(signal, request, text, sanitizer, time.time_ns()).batch])
    except RequestRefused as error:
        raise ArchiveError(f"{manifest}: {error}") from error
    finally:
        writer.close()
    return contents.records
