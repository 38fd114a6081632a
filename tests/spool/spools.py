"""Helpers for the tests of the spool: reading everything, and a crash at this very moment."""

import itertools
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

from relayscope.spool import Loss, LossReason, Position, Spool, SpoolReader, SpoolSettings

# Segments of a bound of 4096 bytes are 1024 bytes long: a handful of records each.
SMALL = SpoolSettings(max_bytes=64 * 1024)
TINY = SpoolSettings(max_bytes=4096)

_copies = itertools.count()


def record(number: int, size: int = 40) -> bytes:
    """A record that says which one it is."""
    return b"record %d " % number + b"." * (size - 8 - len(str(number)))


def append_all(spool: Spool, records: Iterable[bytes]) -> None:
    """Append one record after the other."""
    for each in records:
        spool.append(each)


def append_forever(spool: Spool, size: int, appended: list[bytes]) -> None:
    """Append records until that fails; ``appended`` has those that were accepted."""
    while True:
        each = record(len(appended), size)
        spool.append(each)
        appended.append(each)


def read_all(reader: SpoolReader, max_records: int = 1000) -> tuple[list[bytes], list[Loss]]:
    """Everything from the acknowledged position on, without acknowledging it."""
    records: list[bytes] = []
    losses: list[Loss] = []
    position = reader.acknowledged
    while True:
        batch = reader.read(position, max_records, 1 << 20)
        records += batch.records
        losses += batch.losses
        if not batch.records and batch.end == position:
            return records, losses
        position = batch.end


def end_of(reader: SpoolReader) -> Position:
    """The position after the last record."""
    position = reader.acknowledged
    while (batch := reader.read(position, 1000, 1 << 20)).end != position:
        position = batch.end
    return position


def acknowledge_all(reader: SpoolReader) -> None:
    """Read and acknowledge everything."""
    reader.acknowledge(end_of(reader))


def contents(spool: Spool) -> list[bytes]:
    """All records of a spool that has lost none."""
    with spool.reader() as reader:
        records, losses = read_all(reader)
    assert losses == []
    return records


def crash(folder: Path) -> Path:
    """A root with what is on the disk if the spool's process dies now; it lives on."""
    root = folder.parent.with_name(f"crashed-{next(_copies)}")
    shutil.copytree(folder, root / folder.name)
    return root


def restart(root: Path, settings: SpoolSettings = SMALL) -> Spool:
    """Adopt the one spool that a dead process left under ``root``."""
    spool = Spool.adopt(root, settings)
    assert spool is not None
    return spool


def segments(folder: Path) -> list[Path]:
    """The segment files, oldest first."""
    return sorted(folder.glob("*.segment"))


def lost(losses: Sequence[Loss]) -> dict[LossReason, tuple[int, int]]:
    """Records and bytes lost, by reason."""
    sums: dict[LossReason, tuple[int, int]] = {}
    for loss in losses:
        records, size = sums.get(loss.reason, (0, 0))
        sums[loss.reason] = records + loss.records, size + loss.bytes
    return sums
