"""`relayscope-instrument --status`: what waits to be sent, and why."""

import sys
from contextlib import suppress
from pathlib import Path

from relayscope.spool import check_folder, list_slots, orphans, waiting

from .settings import spool_dir
from .trouble import troubles


def status() -> bool:
    """Print what waits, component by component.

    Returns:
        Whether nobody has to put anything right.
    """
    found = roots()
    if not found:
        sys.stdout.write(f"nothing waits in {spool_dir()}\n")
    is_well = [_tell(root) for root in found]
    return all(is_well)


def roots() -> list[Path]:
    """The folders of the components."""
    try:
        return sorted(path for path in spool_dir().iterdir() if path.is_dir())
    except OSError:
        return []


def waiting_in(root: Path) -> int:
    """How many records of a component have not been delivered, whoever has them."""
    total = 0
    for folder in list_slots(root):
        with suppress(OSError):  # It has just been delivered and deleted.
            total += waiting(folder)
    return total


def in_use(root: Path) -> int:
    """How many spools of a component a process appends to, or a forwarder sends."""
    return len({*list_slots(root)} - {*orphans(root)})


def _tell(root: Path) -> bool:
    try:
        check_folder(root)
    except OSError as error:
        sys.stdout.write(f"{root.name}: {error.strerror}\n")
        return False
    sys.stdout.write(f"{root.name}: {waiting_in(root)} waiting, {in_use(root)} in use\n")
    told = troubles(root)
    for trouble in told:
        sys.stdout.write(f"  {trouble}\n")
    return not any(trouble.is_refusal for trouble in told)
