"""A bound on a call that cannot keep its own: gRPC needs threads to notice that a deadline is over.

Where it gets none, as below a limit on processes, it waits for ever. The forwarder then has the
lock of its component, and nobody else sends. A signal comes without a thread.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

_GRACE: Final = 5.0
"""Seconds after its deadline that a call may still take to end by itself."""


class Overdue(Exception):
    """A call has not ended long after its deadline."""


if sys.platform == "win32":

    @contextmanager
    def bounded(_: float) -> Iterator[None]:
        """Do nothing: there are no such signals, and no such limits."""
        yield

else:
    import signal

    def _give_up(*_: object) -> None:
        raise Overdue

    @contextmanager
    def bounded(seconds: float) -> Iterator[None]:
        """Bound what is done on the main thread, where alone signals are handled.

        Args:
            seconds: The deadline that it should keep by itself.

        Raises:
            Overdue: It did not.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = signal.signal(signal.SIGALRM, _give_up)
        signal.setitimer(signal.ITIMER_REAL, seconds + _GRACE)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
