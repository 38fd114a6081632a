"""Objects of which a process has one each, made when they are first needed.

Whichever thread needs one makes it, and others wait for it. The thread imports modules meanwhile,
so a fork waits, too: the child would wait for ever for an import that nobody goes on with.
"""

import errno
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Generic, TypeVar

from .fork import on_fork
from .shield import NotMade, Untold

_LONGEST_WAIT: Final = 5.0
"""Seconds that a thread or a fork waits at most; to make all takes 0.2. Two threads could wait for
each other, if what one imports is what the other is importing."""

_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0
"""Seconds after a failure until it is tried again, doubled each time: to make all takes 0.2 s of
the host's thread. What fails for want of a descriptor, or of room on the stack, soon does not."""

_LIMITS: Final = "look at the limits of this process (ulimit -a, or its container's)"
_OUT_OF_REACH: Final = (
    "before its first message the program has changed its user, its root or sys.path, and Python"
    " finds no modules any more"
)

_SCARCE: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})

_T = TypeVar("_T")


class _Making(threading.local):
    """The lock under which all is made: reentrant, because one object may need another.

    Attributes:
        registered: The number of times at which forks were told to wait for it.
        has_told_what_is_wanting: True once somebody was told that something is wanting.
    """

    lock = threading.RLock()
    registered = 0
    has_told_what_is_wanting = False

    def __init__(self) -> None:
        self._taken_to_fork: list[threading.RLock] = []

    def __enter__(self) -> None:
        if not self.lock.acquire(timeout=_LONGEST_WAIT):
            raise TimeoutError("another thread still makes what records messages")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.lock.release()

    def before_fork(self) -> None:
        """Wait until nothing is being made."""
        if self.lock.acquire(timeout=_LONGEST_WAIT):
            self._taken_to_fork.append(self.lock)

    def after_fork(self) -> None:
        """Let others make again."""
        if self._taken_to_fork:
            self._taken_to_fork.pop().release()

    def after_in_child(self) -> None:
        """Do the same in the child; forget a thread that was not waited for."""
        if not self._taken_to_fork:
            type(self).lock = threading.RLock()
        self.after_fork()


_making: Final = _Making()


def hold_back_forks() -> None:
    """Let forks wait before they do anything else that has been registered by now.

    What is registered later comes first (`os.register_at_fork`): a fork that has the locks of the
    sanitizer, which is made before others, must not wait for a thread that is about to search.
    """
    _Making.registered += 1
    on_fork(
        before=_making.before_fork,
        after_in_parent=_making.after_fork,
        after_in_child=_making.after_in_child,
    )


hold_back_forks()


def times_held_back() -> int:
    """Return how often `hold_back_forks` was called."""
    return _making.registered


def hold_back_this_fork(times: int) -> None:
    """Do before a fork that is under way what was registered so many times meanwhile."""
    for _ in range(times):
        _making.before_fork()


def is_scarcity(error: Exception) -> bool:
    """Return whether something failed for want of memory, descriptors, threads or stack."""
    # A module that is there and cannot be loaded: there is no room to map its library.
    is_unmapped = isinstance(error, ImportError) and not isinstance(error, ModuleNotFoundError)
    is_scarce = isinstance(error, OSError) and error.errno in _SCARCE
    is_without_thread = isinstance(error, RuntimeError) and "start new thread" in str(error)
    is_full = isinstance(error, MemoryError | RecursionError)
    return is_full or is_unmapped or is_scarce or is_without_thread


def _tell_what_is_wanting(error: Exception) -> None:
    """Raise it once: each part of a process that is made lacks the same."""
    if not _Making.has_told_what_is_wanting:
        _Making.has_told_what_is_wanting = True
        advice = _LIMITS if is_scarcity(error) else _OUT_OF_REACH
        what = str(error) or "no memory is left"
        raise NotMade(f"nothing is recorded for now: {what}; {advice}") from None


def _nothing(_: object) -> None:
    """Do nothing."""


class OnceMade(Generic[_T]):
    """An object that is made once.

    Args:
        make: Makes it. If that fails, it is tried again, after a while.
        complete: Does what may already need it, on the same thread.
    """

    def __init__(self, make: Callable[[], _T], complete: Callable[[_T], object] = _nothing) -> None:
        self._make = make
        self._complete = complete
        self._made: _T | None = None
        self._is_complete = False
        self._is_begun = False
        self._error: Exception | None = None
        self._pause = self._not_before = 0.0

    @property
    def is_made(self) -> bool:
        """True if somebody has needed it."""
        return self._made is not None

    def get(self) -> _T:
        """Return the object.

        Raises:
            NotMade: It cannot be made for want of memory, modules or the like, which is raised
                once.
            Untold: It could not be made a moment ago, or is being made by who needs it.
            TimeoutError: Another thread takes too long to make it.
        """
        if self._is_complete and self._made is not None:
            return self._made
        with _making:
            return self._made or self._new()

    def _new(self) -> _T:
        if self._is_begun:  # This thread has the lock: it is in the midst of an import, perhaps.
            raise Untold("what records messages is being made")
        if time.monotonic() < self._not_before:
            raise Untold("what records messages could not be made") from self._error
        is_news = self._error is None
        self._is_begun = True
        try:
            made = self._make()
        except Untold:
            raise
        except Exception as error:
            self._error = error.with_traceback(None)
            self._pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)
            self._not_before = time.monotonic() + self._pause
            if is_scarcity(error) or isinstance(error, ModuleNotFoundError):
                _tell_what_is_wanting(error)
            elif is_news:
                raise
            raise Untold("what records messages could not be made again") from error
        finally:
            self._is_begun = False
        if self._made is None:
            self._made = made
            try:
                self._complete(made)
            finally:
                self._is_complete = True
        return self._made
