"""Archives: what is removed, in files that can be read without us.

Each is two files: `NAME.jsonl.gz` has OTLP requests as JSON, one per line, as the OpenTelemetry
Collector's file exporter writes them; `NAME.json` says how many records there are, and the SHA-256
of the lines. Only the user who wrote them may read them.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from contextlib import suppress
from itertools import count, islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import orjson
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from relayscope.collector.errors import ArchiveError
from relayscope.collector.maintenance.otlp_lines import line
from relayscope.storage import read_dictionary, read_records

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import psycopg

    from relayscope.storage import Removal

_ROWS_IN_LINE: Final = 500
"""A request of the size that SDKs send; at 20 kB each it is 10 MB."""

_LEVEL: Final = 6

_LINES: Final = ".jsonl.gz"


class Contents(BaseModel):
    """Contents of an archive, as its `.json` says."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: str
    class_: str
    from_time: AwareDatetime
    to_time: AwareDatetime
    records: int
    sha256: str


class Archive:
    """A folder of archives."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, connection: psycopg.Connection[Any], removal: Removal) -> str:
        """Write the records of what is to be removed, flushed to disk and read back.

        Args:
            connection: Of the owner of the tables.
            removal: The partition or segment that holds them.

        Returns:
            The name of the archive.

        Raises:
            ArchiveError: The files cannot be written, or are not what was written.
        """
        start = f"{removal.from_time:%Y-%m-%dT%H%M}"
        number = getattr(removal.what, "id", 0)
        name = f"{removal.signal}-{start}-{removal.class_ or 'unsealed'}-{number}"
        half = self._folder / f"{name}.part"
        try:
            _make_private(self._folder)
            count, digest = _write_lines(half, connection, removal)
            contents = Contents(
                table=removal.signal,
                class_=removal.class_,
                from_time=removal.from_time,
                to_time=removal.to_time,
                records=count,
                sha256=digest,
            )
            name = self._free_name(name, contents)
            half.replace(self._folder / f"{name}{_LINES}")
            _write_flushed(half, contents.model_dump_json(indent=2))
            half.replace(self._folder / f"{name}.json")
            _flush(self._folder)
        except OSError as error:
            raise ArchiveError(f"{self._folder / name}: {error.strerror or error}") from error
        finally:
            with suppress(OSError):
                half.unlink(missing_ok=True)
        expected = getattr(removal.what, "id", None) and removal.what.rows
        if expected is not None and expected != count:
            raise ArchiveError(f"{name}: {count} records were written of {expected}")
        verify(self._folder / f"{name}.json")
        return name

    def _free_name(self, name: str, contents: Contents) -> str:
        """Return the name, with a number if there is an archive of other records under it.

        There is one of what came late for a time whose records had been removed, and of a segment
        of another database that has the same folder, as that of another tenant.
        """
        chosen = name
        numbers = count(2)
        while self._is_taken(chosen, contents):
            chosen = f"{name}-{next(numbers)}"
        return chosen

    def _is_taken(self, name: str, contents: Contents) -> bool:
        manifest = self._folder / f"{name}.json"
        try:
            return manifest.exists() and contents_of(manifest) != contents
        except ArchiveError:
            return True  # Whatever it is, it is not ours to write over.


def contents_of(manifest: Path) -> Contents:
    """Read the contents that an archive says it has.

    Raises:
        ArchiveError: It cannot be read.
    """
    if manifest.name.endswith(_LINES):
        described = manifest.name.removesuffix(_LINES) + ".json"
        raise ArchiveError(f"{manifest}: these are the records; give {described}, which is beside")
    try:
        return Contents.model_validate_json(manifest.read_bytes())
    except OSError as error:
        raise ArchiveError(f"{manifest}: {error.strerror or error}") from error
    except ValidationError:
        raise ArchiveError(f"{manifest}: this is not the description of an archive") from None


def verify(manifest: Path) -> Contents:
    """Read all of an archive and compare it with what it says; return that.

    Raises:
        ArchiveError: It cannot be read, or is not what was written.
    """
    contents = contents_of(manifest)
    digest = hashlib.sha256()
    count = 0
    for text in lines_of(manifest):
        digest.update(text)
        count += records_in(text)
    if digest.hexdigest() != contents.sha256 or count != contents.records:
        raise ArchiveError(f"{manifest}: the archive is damaged; it is not what was written")
    return contents


def lines_of(manifest: Path) -> Iterator[bytes]:
    """The lines of an archive, each with its end.

    Raises:
        ArchiveError: They cannot be read.
    """
    file = manifest.with_suffix(_LINES)
    try:
        with gzip.open(file) as opened:
            yield from opened
    except (OSError, EOFError) as error:
        raise ArchiveError(f"{file}: {error}") from error


def records_in(text: bytes) -> int:
    """Count the spans, log records or metrics of a line."""
    try:
        (groups,) = orjson.loads(text).values()
        return sum(
            len(items)
            for group in groups
            for name, scopes in group.items()
            if name.startswith("scope")
            for scope in scopes
            for kind, items in scope.items()
            if kind in ("spans", "logRecords", "metrics")
        )
    except (ValueError, AttributeError, TypeError):
        raise ArchiveError("the archive is damaged; it is not what was written") from None


def _write_lines(
    file: Path, connection: psycopg.Connection[Any], removal: Removal
) -> tuple[int, str]:
    digest = hashlib.sha256()
    count = 0
    with connection.transaction(), _new_private(file) as raw:
        resources = read_dictionary(connection, "resource")
        scopes = read_dictionary(connection, "scope")
        with gzip.GzipFile(fileobj=raw, mode="wb", compresslevel=_LEVEL, mtime=0) as packed:
            rows = read_records(connection, removal.what)
            while some := list(islice(rows, _ROWS_IN_LINE)):
                text = line(removal.signal, some, resources, scopes) + b"\n"
                digest.update(text)
                packed.write(text)
                count += len(some)
        raw.flush()
        os.fsync(raw.fileno())
    return count, digest.hexdigest()


def _write_flushed(file: Path, text: str) -> None:
    with _new_private(file) as opened:
        opened.write(text.encode())
        opened.flush()
        os.fsync(opened.fileno())


def _make_private(folder: Path) -> None:
    """Make a folder that is missing, and those above it, for its user alone."""
    if not folder.exists():
        _make_private(folder.parent)
        folder.mkdir(mode=0o700, exist_ok=True)


def _new_private(file: Path) -> BinaryIO:
    """Open a new file that its user alone may read, whatever was there."""
    file.unlink(missing_ok=True)
    return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _flush(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
