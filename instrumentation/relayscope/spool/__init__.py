"""A crash-safe, bounded queue of records on disk."""

from relayscope.spool.about import read_about
from relayscope.spool.errors import (
    RecordTooLarge,
    SpoolClosed,
    SpoolError,
    SpoolFull,
    SpoolHeld,
    SpoolUnavailable,
)
from relayscope.spool.holding import bound_orphans
from relayscope.spool.lock import lock
from relayscope.spool.ownership import check_folder, open_own, read_own
from relayscope.spool.position import START, Backlog, Batch, Loss, LossReason, Position
from relayscope.spool.reader import Reader
from relayscope.spool.settings import Durability, Overflow, Settings
from relayscope.spool.slot import KEPT, has_ended, list_slots, orphans
from relayscope.spool.spool import Spool
from relayscope.spool.syscalls import write_at_start
from relayscope.spool.user import user_id
from relayscope.spool.waiting import waiting

__all__ = [
    "KEPT",
    "START",
    "Backlog",
    "Batch",
    "Durability",
    "Loss",
    "LossReason",
    "Overflow",
    "Position",
    "Reader",
    "RecordTooLarge",
    "Settings",
    "Spool",
    "SpoolClosed",
    "SpoolError",
    "SpoolFull",
    "SpoolHeld",
    "SpoolUnavailable",
    "bound_orphans",
    "check_folder",
    "has_ended",
    "list_slots",
    "lock",
    "open_own",
    "orphans",
    "read_about",
    "read_own",
    "user_id",
    "waiting",
    "write_at_start",
]
