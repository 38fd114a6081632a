"""A process's account of its own records: how many there were, and how many were dropped."""

import itertools
import threading
from collections import Counter

from relayscope.instrumentation.delivery.encoding.record import pack_account


class Account:
    """The account of one process, from its start or its fork.

    Attributes:
        untold: True if something was dropped since the account was last packed.
    """

    def __init__(self) -> None:
        self.untold = False
        self._numbers = itertools.count(1)
        self._emitted = 0
        self._dropped: Counter[str] = Counter()
        self._lock = threading.RLock()  # A signal handler may emit.

    def __str__(self) -> str:
        reasons = ", ".join(f"{count} {reason}" for reason, count in self._dropped.items())
        return f"{reasons} of {self._emitted}"

    def number(self) -> int:
        """Return the number of the record that is emitted now."""
        number = self._emitted = next(self._numbers)
        return number

    def drop(self, reason: str) -> None:
        """Count a record that was emitted and will not arrive."""
        with self._lock:
            self._dropped[reason] += 1
        self.untold = True

    def pack(self) -> bytes:
        """Return the account so far."""
        self.untold = False
        return pack_account(self._emitted, self._dropped, ended=False)

    def pack_end(self) -> bytes:
        """Return the account of a process that emits nothing more."""
        # Taking a number is the one way to tell how many there were; it is given back.
        number = next(self._numbers)
        self._numbers = itertools.count(number)
        return pack_account(number - 1, self._dropped, ended=True)
