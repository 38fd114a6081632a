"""`relayscope-instrument --flush`: send what processes that have ended left behind."""

import sys
from contextlib import closing
from pathlib import Path

from relayscope.spool import check_folder

from .destination import Destination, open_destination
from .forwarder import Forwarder
from .settings import spool_dir, spool_settings
from .status import in_use, roots, waiting_in
from .trouble import troubles


def flush() -> bool:
    """Send what waits, and print what became of it, component by component.

    Returns:
        Whether nothing waits any more.
    """
    try:
        destination = open_destination()
    except (ValueError, ImportError) as error:
        sys.exit(f"relayscope-instrument: {error}")
    found = roots()
    if not found:
        sys.stdout.write(f"nothing waits in {spool_dir()}\n")
    sent_all = [_flush(root, destination) for root in found]
    return all(sent_all)


def _flush(root: Path, destination: Destination) -> bool:
    try:
        check_folder(root)
    except OSError as error:
        sys.stdout.write(f"{root.name}: {error.strerror}\n")
        return False
    with closing(Forwarder(root, destination, None, spool_settings())) as forwarder:
        forwarder.run()
    waiting = waiting_in(root)
    held = in_use(root) if waiting else 0
    elsewhere = f" ({held} in use by other processes)" if held else ""
    sys.stdout.write(f"{root.name}: {forwarder.sent} sent, {waiting} waiting{elsewhere}\n")
    for trouble in troubles(root) if waiting else ():
        sys.stdout.write(f"  {trouble}\n")
    return waiting == 0
