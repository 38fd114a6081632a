"""`relayscope-instrument --flush`: send what processes that have ended left behind."""

import sys
from contextlib import closing

from .destination import Destination, open_destination
from .forwarder import Forwarder
from .settings import spool_dir, spool_settings


def flush() -> bool:
    """Send what waits, and print what became of it, component by component.

    Returns:
        Whether nothing waits any more.
    """
    try:
        destination = open_destination()
        roots = sorted(path for path in spool_dir().iterdir() if path.is_dir())
    except FileNotFoundError:
        roots = []
    except (ValueError, ImportError) as error:
        sys.exit(f"relayscope-instrument: {error}")
    waiting = sum([_flush(root.name, destination) for root in roots])
    if not roots:
        sys.stdout.write(f"nothing waits in {spool_dir()}\n")
    return waiting == 0


def _flush(component: str, destination: Destination) -> int:
    root = spool_dir() / component
    with closing(Forwarder(root, destination, None, spool_settings())) as forwarder:
        forwarder.run()
        waiting = forwarder.remaining()
        sys.stdout.write(f"{component}: {forwarder.sent} sent, {waiting} waiting\n")
        return waiting
