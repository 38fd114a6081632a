"""A crash-safe, bounded queue of records on disk."""

from relayscope.spool.errors import (
    RecordTooLarge,
    SpoolClosed,
    SpoolError,
    SpoolFull,
    SpoolHeld,
    SpoolUnavailable,
)
from relayscope.spool.format.writer_info import read_writer_info
from relayscope.spool.position import START, Backlog, Loss, LossReason, Position, ReadBatch
from relayscope.spool.slot.orphans import bound_orphans, has_ended, orphans
from relayscope.spool.slot.recovery import waiting
from relayscope.spool.slot.slot import KEPT, list_slots
from relayscope.spool.spool import Spool
from relayscope.spool.spool_reader import SpoolReader
from relayscope.spool.spool_settings import Durability, Overflow, SpoolSettings
from relayscope.spool.system.guest_file import GuestFile
from relayscope.spool.system.lock import lock
from relayscope.spool.system.own_files import check_folder, open_own, read_own, user_id
from relayscope.spool.system.process_id import is_running
from relayscope.spool.system.syscalls import write_at_start

__all__ = [
    "KEPT",
    "START",
    "Backlog",
    "Durability",
    "GuestFile",
    "Loss",
    "LossReason",
    "Overflow",
    "Position",
    "ReadBatch",
    "RecordTooLarge",
    "Spool",
    "SpoolClosed",
    "SpoolError",
    "SpoolFull",
    "SpoolHeld",
    "SpoolReader",
    "SpoolSettings",
    "SpoolUnavailable",
    "bound_orphans",
    "check_folder",
    "has_ended",
    "is_running",
    "list_slots",
    "lock",
    "open_own",
    "orphans",
    "read_own",
    "read_writer_info",
    "user_id",
    "waiting",
    "write_at_start",
]
