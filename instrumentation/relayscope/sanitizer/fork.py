"""Locks that keep a fork from happening while a thread searches.

The automata of google-re2 have locks, and a search lets other threads run. A child that one of them
forked meanwhile would find a lock that nobody will ever open, and wait for it at its first search.
(Measured with cold automata and two threads that search: 33 of 40 children hung.) So each thread
that searches holds a lock of its own, and a fork takes all of them first.
"""

import os
import threading
from time import monotonic
from typing import Final
from weakref import WeakSet

_LONGEST_WAIT: Final = 5.0
"""Seconds that a fork waits at most. The longest searches take less; but a signal handler that
forks in the midst of one might wait for another fork, which waits for it."""

_every_lock: Final[WeakSet[threading.RLock]] = WeakSet()
_counting = threading.RLock()
"""Held by who adds to the locks, or takes them all."""


class _Searching(threading.local):
    """Locks of a thread: it holds `lock` while it searches, and those in `taken` while it forks."""

    def __init__(self) -> None:
        # Reentrant, because a signal handler may search while its own thread does.
        self.lock = threading.RLock()
        self.taken: list[threading.RLock] = []
        with _counting:
            _every_lock.add(self.lock)


searching: Final = _Searching()


def wait_for_searches() -> None:
    """Wait until no other thread searches, and let none begin before the fork."""
    latest = monotonic() + _LONGEST_WAIT
    if _take(_counting, latest):
        for lock in list(_every_lock):
            _take(lock, latest)


def _take(lock: threading.RLock, latest: float) -> bool:
    is_taken = lock.acquire(timeout=max(0.0, latest - monotonic()))
    if is_taken:
        searching.taken.append(lock)
    return is_taken


def _after() -> None:
    while searching.taken:
        searching.taken.pop().release()


def _after_in_child() -> None:
    """Forget the other threads, which are not there; also those that were not waited for."""
    global _counting  # noqa: PLW0603  # another thread's, perhaps
    _after()
    _counting = threading.RLock()
    _every_lock.clear()
    _every_lock.add(searching.lock)


if hasattr(os, "register_at_fork"):  # Windows knows no fork.
    os.register_at_fork(
        before=wait_for_searches, after_in_parent=_after, after_in_child=_after_in_child
    )
