"""A crash-safe, bounded queue of records on disk."""

from relayscope.spool.errors import (
    RecordTooLarge,
    SpoolClosed,
    SpoolError,
    SpoolFull,
    SpoolHeld,
    SpoolUnavailable,
)
from relayscope.spool.format.writer_info import read_about
from relayscope.spool.position import START, Backlog, Batch, Loss, LossReason, Position
from relayscope.spool.reader import Reader
from relayscope.spool.settings import Durability, Overflow, Settings
from relayscope.spool.slot.orphans import bound_orphans, has_ended, orphans
from relayscope.spool.slot.recovery import waiting
from relayscope.spool.slot.slot import KEPT, list_slots
from relayscope.spool.spool import Spool
from relayscope.spool.system.lock import lock
from relayscope.spool.system.own_files import check_folder, open_own, read_own, user_id
from relayscope.spool.system.syscalls import write_at_start

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
