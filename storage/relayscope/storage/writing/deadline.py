"""An end to waiting for a database that does not answer."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from typing import Any

from psycopg import Connection


@contextlib.contextmanager
def cut_after(seconds: float, connection: Connection[Any]) -> Iterator[None]:
    """Break the connection if the block takes longer, so that whatever waits for it fails.

    PostgreSQL's own timeouts do not help when PostgreSQL, or the network before it, is what hangs.
    """
    # Our own descriptor: the number of a closed one could be somebody else's by then.
    with socket.socket(fileno=os.dup(connection.fileno())) as ours:
        timer = threading.Timer(seconds, _shut_down, args=(ours,))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()


def _shut_down(ours: socket.socket) -> None:
    with contextlib.suppress(OSError):
        ours.shutdown(socket.SHUT_RDWR)
