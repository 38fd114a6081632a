"""Starts the forwarder of a component, if none runs.

The forwarder is a process of its own: encoding in a thread would take the interpreter lock from the
host, and a thread does not survive the host. Measured, one relay and one message at a time while
a backlog is sent: see `tests/bench/bench_relay.py`.
"""

import logging
import os
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from io import FileIO
from pathlib import Path
from time import monotonic, time
from typing import Final

from relayscope.instrumentation.delivery.trouble import TroubleFile
from relayscope.instrumentation.runtime.stderr import say
from relayscope.spool import SpoolHeld, check_folder, lock, open_own

from .detached import start_detached
from .interpreter import interpreter

_log = logging.getLogger("relayscope.instrumentation")

LOG_NAME: Final = "forwarder.log"
_LARGEST_LOG: Final = 2**20

_FIRST_PAUSE: Final = 2.0
_LONGEST_PAUSE: Final = 60.0
"""Seconds between two starts, doubled as long as none comes to run: a start takes 0.5 s."""


_STARTING: Final = b"starting\n"
"""Content of the lock until the forwarder that is started writes its process id there."""


class Launcher:
    """Starts forwarders for the spools in one folder that go to one destination."""

    def __init__(self, root: Path, destination: str, environment: Mapping[str, str]) -> None:
        self._root = root
        self._environment = environment
        self._destination = destination
        self._not_before = 0.0
        self._pause = 0.0
        self._told = False
        self._trouble_file = TroubleFile(root, destination)
        self._trouble_told = False

    def ensure(self) -> None:
        """Start the forwarder if none runs; takes no time, a thread does the rest."""
        if self._is_missing():
            # One that cannot start must not be started again and again.
            self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._not_before = monotonic() + self._pause
            # Not a daemon: a host that ends at once waits the 3 ms that this takes.
            with suppress(RuntimeError):  # Too late to start threads: `ensure_now` follows.
                threading.Thread(target=self._start, name="relayscope-launcher").start()

    def ensure_now(self) -> None:
        """Start the forwarder if none runs or is about to, on this thread: it may be the last one.

        That takes 3 ms.
        """
        if self._is_missing():
            self._start()

    def tell_trouble(self) -> None:
        """Say once on the host's stderr what its user has to put right for records to arrive."""
        if not self._trouble_told:
            trouble = self._trouble_file.read()
            if trouble is not None and trouble.is_refusal:
                self._trouble_told = say(f"{trouble}; records wait in {self._root}")

    def _is_missing(self) -> bool:
        """Return whether this process is to start a forwarder now."""
        try:
            with closing(open_lock(self._root, self._destination)) as held:
                return monotonic() >= self._not_before and _claims_start(held)
        except SpoolHeld:
            self._pause = self._not_before = 0.0
            return False
        except OSError as error:
            self._tell("no forwarder can run, and records wait", error)
            return False

    def _start(self) -> None:
        with suppress(OSError), self._open_log() as log:
            start_detached([*_command(), str(self._root)], self._environment, log)

    def _open_log(self) -> FileIO:
        path = self._root / LOG_NAME
        try:
            log = FileIO(open_own(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND), "a")
        except OSError as error:
            self._tell("the forwarder has no log", error)
            return FileIO(os.devnull, "w")
        if os.fstat(log.fileno()).st_size > _LARGEST_LOG:
            log.truncate(0)
        return log

    def _tell(self, what: str, error: OSError) -> None:
        if not self._told:
            self._told = True
            _log.warning("relayscope: %s: %s", what, error.strerror or error)


def _claims_start(held: FileIO) -> bool:
    """Note in the lock that a forwarder is being started, unless another process has just done so.

    A thousand processes that end together would start a thousand, of which each takes 0.5 s of a
    processor before it finds that one runs.
    """
    age = time() - os.fstat(held.fileno()).st_mtime
    if held.read(len(_STARTING)) == _STARTING and 0 <= age < _FIRST_PAUSE:
        return False
    held.seek(0)
    with suppress(OSError):  # The disk is full: then it is not noted.
        held.write(_STARTING)
    return True


def open_lock(root: Path, destination: str) -> FileIO:
    """Take the lock that the forwarder for this destination holds; closing the file gives it back.

    Raises:
        SpoolHeld: It is held.
        OSError: The folder cannot be used, or is not ours.
    """
    check_folder(root)
    path = root / f"forwarder-{destination}.lock"
    file = FileIO(open_own(path, os.O_RDWR | os.O_CREAT), "r+")
    try:
        lock(file.fileno(), root)
    except BaseException:
        file.close()
        raise
    return file


def _command() -> list[str]:
    # -S: what instruments a process comes as `sitecustomize` or in a .pth file, from this
    # environment or another one, and the forwarder must not be instrumented: it would have records
    # of its own to send, and never end. -P: what lies in the working directory is not for it.
    return [interpreter(), "-S", "-P", "-m", "relayscope.instrumentation.delivery"]
