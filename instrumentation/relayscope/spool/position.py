"""Positions in a spool, and the batches, losses and backlogs between them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place between two records. Numbers are never used twice in the life of a spool.

    Attributes:
        sequence: Records that came before it, delivered or lost.
        offset: Bytes that these records held.
    """

    sequence: int
    offset: int

    def after(self, records: int, size: int) -> "Position":
        """The place ``records`` further on, which hold ``size`` bytes together."""
        return Position(self.sequence + records, self.offset + size)


START = Position(0, 0)


class LossReason(Enum):
    """Reasons for which records never reached the reader."""

    SIZE = "size"
    """Dropped as the oldest when the spool reached its bound in bytes."""

    AGE = "age"
    """Dropped after they had reached the bound in age."""

    TORN = "torn"
    """Cut off at the end, half-written when the writer died (at least so many records)."""

    CORRUPT = "corrupt"
    """Changed on the disk: the checksum no longer fits."""

    MISSING = "missing"
    """Gone with a file that somebody else deleted or shortened."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Records that are not there any more: why, how many, how many bytes they held."""

    reason: LossReason
    records: int
    bytes: int


@dataclass(frozen=True, slots=True)
class ReadBatch:
    """Consecutive records, and what was lost right before the first of them.

    Losses are part of the stream: report them together with the records, acknowledge ``end``, and
    each is reported exactly as often as the records around it are delivered.

    Attributes:
        losses: Records missing between the position asked for and ``start``.
        start: The place of the first record.
        records: The records; empty at the end of the spool.
        end: The place after the last record; what to acknowledge and to read from next.
    """

    start: Position
    records: Sequence[bytes] = ()
    losses: Sequence[Loss] = ()
    end: Position = field(init=False)

    def __post_init__(self) -> None:
        """Derive the end, so that it cannot contradict the records."""
        object.__setattr__(self, "end", self.position_after(len(self.records)))

    def position_after(self, count: int) -> Position:
        """The place after the first ``count`` records, to acknowledge a part of the batch."""
        return self.start.after(count, sum(map(len, self.records[:count])))


@dataclass(frozen=True, slots=True)
class Backlog:
    """Records of a spool that wait to be acknowledged.

    Attributes:
        records: Records not yet acknowledged; those in the window's memory are not among them.
        bytes: Bytes that they hold.
        disk_bytes: Bytes of the spool's files, acknowledged records in a live segment included.
        seconds: Age of the oldest waiting record, at most (that of the segment it is in).
    """

    records: int
    bytes: int
    disk_bytes: int
    seconds: float
