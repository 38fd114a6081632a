"""`relayscope-instrument --flush`: send what processes that have ended left behind."""

import os
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from relayscope.spool import check_folder

from . import log
from .address import address
from .credentials import without_credentials
from .destinations.destination import Destination
from .destinations.protocol import open_destination
from .forwarder.forwarder import Clients, Forwarder
from .settings import spool_dir, spool_settings
from .status import in_use, roots, tell_of_asides, tell_of_others, waiting_by_address
from .trouble import troubles


def flush(redirected: Sequence[str]) -> bool:
    """Send what waits, and print what became of it, component by component.

    Args:
        redirected: Addresses of other collectors: what was kept for them is sent to this one.

    Returns:
        True if nothing waits any more.
    """
    log.configure("relayscope-instrument: %(message)s")
    try:
        destination = open_destination()
    except (ValueError, ImportError) as error:
        sys.exit(f"relayscope-instrument: {without_credentials(str(error))}")
    found = roots()
    if not found:
        sys.stdout.write(f"nothing waits in {spool_dir()}\n")
    here = address(os.environ)
    sent_all = [_flush(root, destination, here, redirected) for root in found]
    return all(sent_all)


def _flush(root: Path, destination: Destination, here: str, redirected: Sequence[str]) -> bool:
    try:
        check_folder(root)
    except OSError as error:
        sys.stdout.write(f"{root.name}: {error.strerror}\n")
        return False
    before = waiting_by_address(root)
    clients = Clients(name=None, addresses=frozenset({here, *redirected}))
    with closing(Forwarder(root, destination, clients, spool_settings())) as forwarder:
        forwarder.run()
    after = waiting_by_address(root)
    waiting = after.total()
    held = in_use(root) if waiting else 0
    elsewhere = f" ({held} in use by other processes)" if held else ""
    sys.stdout.write(f"{root.name}: {forwarder.sent} sent, {waiting} waiting{elsewhere}\n")
    for other in sorted(redirected):
        if moved := before[other] - after[other]:
            sys.stdout.write(f"  {moved} that were kept for {other} went to {here}\n")
    tell_of_asides(root)
    tell_of_others(after, here)
    for trouble in troubles(root) if waiting else ():
        sys.stdout.write(f"  {trouble}\n")
    return waiting == 0
