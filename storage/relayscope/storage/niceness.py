"""Receiving comes first: backends that read or look after what is stored are nicer than others."""

from __future__ import annotations

import os
import socket
import struct
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import psycopg

NICENESS: Final = 10
"""Niceness of readers and of upkeep; the collector's decoder has 5. Of a core that receiving keeps
busy, they have a tenth, or a quarter beside the decoder alone. Beside questions, sealing and
removing without a pause, receiving keeps 0.83 of its speed so, and 0.41 where these are not nice
(2 cores, `tests/bench/results/housekeeping-2026-11-29.txt`)."""

_TRIES: Final = 4
_PAUSE_SECONDS: Final = 0.1
"""Of users but root, Linux takes one such wish in a tenth of a second; a page opens four
connections at once."""

_CREDENTIALS: Final = struct.Struct("3i")
"""Of a socket's peer, as SO_PEERCRED gives them: pid, uid, gid (unix(7))."""


def make_backend_nice(connection: psycopg.Connection[Any]) -> None:
    """Lower the priority of a backend, in autocommit mode, where it runs on this machine.

    That is known of a Unix socket on Linux: the kernel says which process listens there, by the id
    that it has here, and the backend is its child. Elsewhere nothing is done: a backend of another
    machine takes nothing from receiving here.
    """
    backend = connection.info.backend_pid
    # Neither may be another user's, and the backend may have ended.
    with suppress(OSError):
        postmaster = _postmaster(connection)
        if postmaster and postmaster == _parent(backend):
            present = os.getpriority(os.PRIO_PROCESS, backend)
            os.setpriority(os.PRIO_PROCESS, backend, max(NICENESS, present))
            _make_session_nice(backend)
            # Parallel workers are other processes, and these are not nice.
            connection.execute("set max_parallel_workers_per_gather = 0")


def _make_session_nice(pid: int) -> None:
    """Linux shares processors among sessions first, and each backend is one of its own.

    sched(7), "The autogroup feature".
    """
    group = Path(f"/proc/{pid}/autogroup")
    for _ in range(_TRIES):
        with suppress(BlockingIOError):
            group.write_text(str(NICENESS), encoding="ascii")
            return
        time.sleep(_PAUSE_SECONDS)


def _postmaster(connection: psycopg.Connection[Any]) -> int:
    """The process at the other end; 0 if it is not known here."""
    if sys.platform != "linux":
        return 0
    with socket.socket(fileno=os.dup(connection.fileno())) as end:
        if end.family != socket.AF_UNIX:
            return 0
        credentials = end.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid: int = _CREDENTIALS.unpack(credentials)[0]
    return pid


def _parent(pid: int) -> int:
    # The name before it may have anything in it, but ends with the last bracket: proc(5).
    fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    return int(fields[1])
