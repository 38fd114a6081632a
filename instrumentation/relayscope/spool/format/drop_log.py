"""A log of the records that a writer dropped to keep its spool within its bounds.

The records themselves tell how many are missing: the reader finds a hole in their numbers. The file
``dropped`` only adds the reason, as JSON: ``[[sequence, offset, sequence, offset, reason], ...]``,
from which position to which. It is replaced as a whole before each drop.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

from relayscope.spool.position import Loss, LossReason, Position
from relayscope.spool.system.own_files import open_own, read_own

DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Hole:
    """Positions between which the records are gone for one reason."""

    first: Position
    end: Position
    reason: LossReason


def read_drops(folder: Path) -> list[Hole]:
    """Return the drops that the writer noted, in order; none if the note is gone or damaged."""
    try:
        return [
            Hole(Position(first, offset), Position(end, end_offset), LossReason(reason))
            for first, offset, end, end_offset, reason in json.loads(read_own(folder / DROPPED))
        ]
    except (OSError, ValueError, TypeError):
        return []


def note_drop(folder: Path, hole: Hole, acknowledged: Position) -> None:
    """Note that the records in ``hole`` are about to be dropped.

    Args:
        folder: The spool's folder.
        hole: The place of the records.
        acknowledged: Notes before this position have been read and are not needed any more.

    Raises:
        OSError: The note cannot be written; the old ones stay.
    """
    drops = [drop for drop in read_drops(folder) if drop.end > acknowledged]
    if drops and drops[-1].end == hole.first and drops[-1].reason is hole.reason:
        hole = Hole(drops.pop().first, hole.end, hole.reason)
    drops.append(hole)
    note = [
        (d.first.sequence, d.first.offset, d.end.sequence, d.end.offset, d.reason.value)
        for d in drops
    ]
    new = folder / f"{DROPPED}.new"
    descriptor = open_own(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    with FileIO(descriptor, "w") as file:
        file.write(json.dumps(note).encode())
    new.replace(folder / DROPPED)


def explain(first: Position, end: Position, drops: list[Hole], otherwise: LossReason) -> list[Loss]:
    """Say why no record was found between two positions.

    Args:
        first: Position at which the next record should have been.
        end: Position of the next record.
        drops: The writer's notes.
        otherwise: The reason if the notes do not explain it.
    """
    holes = []
    at = first
    for drop in drops:
        known = Hole(max(at, drop.first), min(end, drop.end), drop.reason)
        if known.first < known.end:
            holes += [Hole(at, known.first, otherwise), known]
            at = known.end
    return losses_in([*holes, Hole(at, end, otherwise)])


def losses_in(holes: Iterable[Hole]) -> list[Loss]:
    """Return the loss in each hole that is not empty."""
    return [
        Loss(
            hole.reason,
            hole.end.sequence - hole.first.sequence,
            hole.end.offset - hole.first.offset,
        )
        for hole in holes
        if hole.first != hole.end
    ]
