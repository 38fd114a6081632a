"""Orphans: slots whose process has ended, in whatever way."""

from contextlib import suppress
from pathlib import Path

from relayscope.spool.errors import SpoolError, SpoolHeld
from relayscope.spool.format.segment import list_segments
from relayscope.spool.slot.open_slot import OpenSlot
from relayscope.spool.slot.slot import Slot, list_slots
from relayscope.spool.spool_settings import SpoolSettings


def orphans(root: Path) -> list[Path]:
    """List the slots under ``root`` whose process has ended, oldest first.

    Slots of other users are left out.
    """
    return [folder for folder in list_slots(root) if has_ended(folder)]


def has_ended(folder: Path) -> bool:
    """Return whether a slot's process has ended and nobody has adopted the slot."""
    try:
        Slot(folder).leave()
    except (OSError, SpoolHeld):
        return False
    return True


def bound_orphans(root: Path, settings: SpoolSettings) -> None:
    """Keep the spools of dead processes within the bound for them all, the newest first.

    Each crash leaves one behind, and nothing else would bound their number.
    """
    kept = 0
    for folder in reversed(list_slots(root)):
        with suppress(OSError, SpoolError):
            slot = Slot(folder)  # Fails for those whose process lives.
            size = sum(segment.path.stat().st_size for segment in list_segments(folder))
            kept += size
            excess = kept - settings.max_bytes
            if excess <= 0:
                slot.leave()
                continue
            kept = settings.max_bytes
            orphan = OpenSlot(slot, settings)
            try:
                orphan.drop_to(max(0, size - excess))
            finally:
                orphan.close()
