"""`python -m relayscope.instrumentation.delivery FOLDER`: the forwarder as a process.

Started by `launch/launcher.py`. It may be killed at any moment.
"""

import logging
import os
import sys
import time
from contextlib import closing, suppress
from io import FileIO
from pathlib import Path
from typing import Final

from relayscope.instrumentation.remote.asking import asking_for_levels
from relayscope.spool import SpoolHeld

from . import log
from .address import address
from .destinations.protocol import open_destination
from .forwarder.forwarder import Clients, Forwarder
from .launch.detached import give_way
from .launch.launcher import open_lock
from .settings import destination_digest, schedule_delay, spool_settings
from .trouble import Trouble, TroubleFile

_TRIES: Final = 20
_TRY_SECONDS: Final = 0.05
"""Time for which the lock is tried: it is held for an instant to find out if a forwarder runs."""

_log = logging.getLogger("relayscope.instrumentation.delivery")


def main() -> None:
    """Forward until there is nothing to do."""
    log.configure("%(asctime)s %(process)d %(levelname)s %(message)s")
    root = Path(sys.argv[1])
    name = destination_digest(os.environ)
    give_way()
    try:
        destination = open_destination()
    except (ValueError, ImportError) as error:
        TroubleFile(root, name).write(Trouble.now(str(error), is_refusal=True, is_own=True))
        _log.error("records wait in %s: %s", root, error)  # a setting, no bug
        sys.exit(1)
    here = frozenset({address(os.environ)})
    clients = Clients(name=name, addresses=here, delay=schedule_delay())
    needed = True
    while needed:
        try:
            held = _take_lock(root, name)
        except SpoolHeld:
            return  # Another forwarder works for these processes.
        forwarder = Forwarder(root, destination, clients, spool_settings())
        with closing(held), closing(forwarder):
            with suppress(OSError):  # Only people read it.
                held.write(b"%d\n" % os.getpid())
                held.truncate()
            with asking_for_levels(root, name, forwarder.living):
                forwarder.run()
        # A process that began between the last look and the release of the lock found it held.
        with closing(Forwarder(root, destination, clients, spool_settings())) as later:
            needed = later.finds_living()


def _take_lock(root: Path, name: str) -> FileIO:
    for _ in range(_TRIES):
        with suppress(SpoolHeld):
            return open_lock(root, name)
        time.sleep(_TRY_SECONDS)
    return open_lock(root, name)


if __name__ == "__main__":
    main()
