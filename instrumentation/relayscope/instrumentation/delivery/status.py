"""`relayscope-instrument --status`: what waits to be sent, and why."""

import os
import shlex
import sys
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from relayscope.spool import check_folder, list_slots, orphans, read_writer_info, waiting

from .account_file import read_account
from .address import address
from .encoding.fields import FAILED, FULL, UNAVAILABLE, AccountFields, unpack
from .forwarder.set_aside import records_aside
from .origin import Origin
from .settings import spool_dir
from .trouble import troubles

_REASONS: Final = {
    FULL: "the disk is full, or their spool",
    UNAVAILABLE: "nothing can be written to their folder",
    FAILED: "they cannot be packed",
}


def status() -> bool:
    """Print what waits, component by component.

    Returns:
        True if there is nothing that a user has to put right.
    """
    found = roots()
    if not found:
        sys.stdout.write(f"nothing waits in {spool_dir()}\n")
    here = address(os.environ)
    is_well = [_tell(root, here) for root in found]
    return all(is_well)


def roots() -> list[Path]:
    """The folders of the components."""
    try:
        return sorted(path for path in spool_dir().iterdir() if path.is_dir())
    except OSError:
        return []


def waiting_by_address(root: Path) -> Counter[str]:
    """Count a component's undelivered records by the address that they are meant for."""
    found: Counter[str] = Counter()
    for folder in list_slots(root):
        origin = Origin.unpack(read_writer_info(folder))
        with suppress(OSError):  # It has just been delivered and deleted.
            address_of = origin.address if origin else ""
            found[address_of] += waiting(folder) + records_aside(folder)
    return found


def tell_of_asides(root: Path) -> None:
    """Print what the collector does not take in time, while it takes other things."""
    records = sum(records_aside(folder) for folder in list_slots(root))
    if records:
        sys.stdout.write(
            f"  {records} of them set aside, because the collector does not take them in time; "
            "what came after them is sent, and they are tried again and again\n"
        )


def tell_of_drops(root: Path) -> bool:
    """Print what processes could not keep; false if there is nothing of the kind.

    What they say themselves about it, in the file beside their spools: the rest of the disk may be
    full, and the collector away.
    """
    dropped: Counter[str] = Counter()
    for folder in list_slots(root):
        dropped.update(_dropped(folder))
    for reason, records in sorted(dropped.items()):
        sys.stdout.write(f"  {records} not recorded: {_REASONS.get(reason, reason)}\n")
    return bool(dropped)


def _dropped(folder: Path) -> Mapping[str, int]:
    try:
        account = unpack(read_account(folder))
    except ValueError:  # It has said nothing.
        return {}
    return account.dropped if isinstance(account, AccountFields) else {}


def tell_of_others(found: Counter[str], here: str) -> None:
    """Print the records that wait for other collectors; they are not sent to this one unasked."""
    for other, records in sorted(found.items()):
        if records and other not in {here, ""}:
            sys.stdout.write(
                f"  {records} kept for {other}, and not sent to {here}; if they are to go there: "
                f"relayscope-instrument --flush --redirect {shlex.quote(other)}\n"
            )


def in_use(root: Path) -> int:
    """Count the spools of a component that a process appends to, or a forwarder sends."""
    return len({*list_slots(root)} - {*orphans(root)})


def _tell(root: Path, here: str) -> bool:
    try:
        check_folder(root)
    except OSError as error:
        sys.stdout.write(f"{root.name}: {error.strerror}\n")
        return False
    found = waiting_by_address(root)
    used = in_use(root)
    sys.stdout.write(f"{root.name}: {found.total()} waiting, {used} in use\n")
    if found[here] and not used:
        sys.stdout.write(
            f"  nothing sends them now; the next {root.name} will, or: "
            "relayscope-instrument --flush\n"
        )
    tell_of_asides(root)
    has_dropped = tell_of_drops(root)
    tell_of_others(found, here)
    told = troubles(root)
    for trouble in told:
        sys.stdout.write(f"  {trouble}\n")
    return not has_dropped and not any(trouble.is_refusal for trouble in told)
