"""Starts a detached process: it is no child of this one, and does not end with it."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from io import FileIO
from typing import Final

_NICE: Final = 5
"""Niceness of the forwarder: where processors are scarce, the host comes first."""

if sys.platform == "win32":
    # A console of its own, which nobody sees: neither Ctrl-C in the host's nor its closing gets
    # there. (Without any, a virtual environment's python.exe would open one for the interpreter
    # that it starts.)
    _FLAGS: Final = subprocess.CREATE_NO_WINDOW | subprocess.BELOW_NORMAL_PRIORITY_CLASS

    def start_detached(
        command: Sequence[str], environment: Mapping[str, str], stderr: FileIO
    ) -> None:
        """Start a command that goes on without us.

        Raises:
            OSError: It cannot be started.
        """
        try:
            # Clients put their servers into a job, and end all of a job with themselves.
            _start(command, environment, stderr, _FLAGS | subprocess.CREATE_BREAKAWAY_FROM_JOB)
        except PermissionError:  # The job does not let go: it sends until then, and others later.
            _start(command, environment, stderr, _FLAGS)

    def _start(
        command: Sequence[str], environment: Mapping[str, str], stderr: FileIO, flags: int
    ) -> None:
        started = subprocess.Popen(  # noqa: S603  # our own module, and a folder as an argument
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            creationflags=flags,
        )
        # Windows keeps nothing of a process that nobody waits for, but Python warns of it.
        started.returncode = 0

    def give_way() -> None:
        """Do nothing: the process was started so that others come first."""

else:

    def start_detached(
        command: Sequence[str], environment: Mapping[str, str], stderr: FileIO
    ) -> None:
        """Start a command that goes on without us.

        Raises:
            OSError: It cannot be started.
        """
        # The shell ends at once, so that the forwarder is no child of the host: the host must
        # neither have to wait for it nor find it when it waits for children of its own.
        subprocess.Popen(  # noqa: S603  # our own module, and a folder as an argument
            ["/bin/sh", "-c", '"$@" &', "sh", *command],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            # What a terminal or a client does to the host's group is not for the forwarder. But
            # it stays in the host's session: Linux shares processors among sessions first, and
            # niceness counts only within one (sched(7), "The autogroup feature"). With a
            # session of its own it kept a relay waiting for up to 5 ms; the relay's p99 was
            # 1.5 times that without a collector, and is 1.08 times.
            process_group=0,
        ).wait()

    def give_way() -> None:
        """Let others come first, where processors are scarce."""
        with suppress(OSError):
            os.nice(_NICE)
