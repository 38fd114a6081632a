"""Promises and bounds of a spool."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

MIB = 1 << 20
_SMALLEST_SPOOL = 4096
# The share of the spool that one segment is: the step in which the oldest records are dropped,
# and what a full disk may keep of records already acknowledged. At 8 MiB a new segment
# (70-150 µs, once per 16,000 records of 500 B) adds 0.01 µs to the mean append.
_SEGMENTS = 64
_SMALLEST_SEGMENT = 1024
_LARGEST_SEGMENT = 8 * MIB


class Durability(Enum):
    """The moment at which ``append`` returns, and so the failures that a record survives."""

    PROCESS = "process"
    """Returns once the operating system has the record (page cache).

    Killing the process, at any instant, loses nothing. A crash of the machine or a power failure
    loses what the system had not written back yet (Linux: about the last 30 seconds).
    """

    WINDOW = "window"
    """Returns once the record is in this process's memory; written within 100 ms.

    Killing the process loses at most the last 100 ms (and never more than 4 MiB); ``close`` and
    ``flush`` lose nothing. A power failure loses what it loses with ``PROCESS``, and the window.
    """

    POWER = "power"
    """Returns once the disk says that the record is on it; concurrent appends share one flush.

    Neither a killed process nor a power failure loses anything, as far as the disk is honest.
    An append that fails in the flush itself may still be delivered: retry it with the same bytes.
    """


class Overflow(Enum):
    """The records that give way when the bounds are reached."""

    DROP_OLDEST = "drop-oldest"
    """The newest records matter: the oldest segments go, counted by reason. For telemetry."""

    REFUSE_NEW = "refuse-new"
    """Accepted records stay: ``append`` raises ``SpoolFull``, and age drops nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSettings:
    """The promises and bounds of one spool.

    Attributes:
        durability: The failures that an accepted record survives.
        overflow: The reaction to a full spool.
        max_bytes: Bytes on disk of one process's spool; the spools that dead processes left in the
            same root may together take as much again.
        max_age: With ``DROP_OLDEST``, a record is dropped some time after it has reached this age:
            never before, and as soon as a segment is begun after 1.125 times this age. Age is
            counted by the machine's boot clock, so setting the wall clock changes nothing; records
            from before the last boot, or from another machine, start at age zero when their
            spool is opened.
    """

    durability: Durability = Durability.PROCESS
    overflow: Overflow = Overflow.DROP_OLDEST
    max_bytes: int = 512 * MIB
    max_age: timedelta = timedelta(hours=24)

    def __post_init__(self) -> None:
        """Refuse bounds that no record would fit into."""
        if self.max_bytes < _SMALLEST_SPOOL:
            raise ValueError(f"max_bytes is {self.max_bytes}; give at least {_SMALLEST_SPOOL}.")
        if self.max_age <= timedelta(0):
            raise ValueError(f"max_age is {self.max_age}; give a time above zero.")

    @property
    def segment_bytes(self) -> int:
        """Size at which a segment is sealed and the next one begun."""
        return min(_LARGEST_SEGMENT, max(_SMALLEST_SEGMENT, self.max_bytes // _SEGMENTS))

    @property
    def segment_seconds(self) -> float:
        """Age at which a segment is sealed and the next one begun."""
        return self.max_age.total_seconds() / 8
