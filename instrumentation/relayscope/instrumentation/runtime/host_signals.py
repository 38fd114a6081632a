"""The host's signal handlers wait while our code runs on their thread.

Python runs a handler between any two instructions. One that raises, as a timeout does, would raise
in the midst of our code, which would take the exception for an error of its own and keep it, or
leave something half-made; and one that prints would begin a message within another. So our code is
to handlers what a function in C is: they run right after it. That is under a millisecond later, but
for the 0.2 s in which all is made.
"""

import sys
from _thread import get_ident
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Final

_Handler = Callable[[int, FrameType | None], Any]

waiting: Final[dict[int, tuple[_Handler, int]]] = {}
"""Handlers that wait, each with its thread, by their signals in the order in which these came. As
for a function in C, signals of one number are one."""

_running: Final[set[int]] = set()
"""Signals whose handlers run: one that prints, and takes longer then than until its next signal,
would be called within itself again and again."""

_ours: Final[set[CodeType]] = set()


def hold_back_in(function: Any) -> None:
    """Let handlers wait while a function runs, which calls `handle` at its end.

    All functions of one definition are the same to this.
    """
    _ours.add(function.__code__)


def handle() -> bool:
    """Run the handler that has waited for longest, unless the caller was called by our code, too.

    Returns:
        True if there was one that may run now; more may have come meanwhile.

    Raises:
        BaseException: Whatever the handler raises.
    """
    caller = sys._getframe(1)  # noqa: SLF001  # there is no other way to see who calls
    if _is_within(caller.f_back):
        return False
    for number, (handler, thread) in [*waiting.items()]:
        if thread == get_ident() and number not in _running:
            del waiting[number]
            _run(handler, number, caller)
            return True
    return False


def _run(handler: _Handler, number: int, frame: FrameType | None) -> Any:
    is_first = number not in _running
    _running.add(number)
    try:
        return handler(number, frame)
    finally:
        if is_first:
            _running.discard(number)


_HANDLER: Final = _run.__code__


def _is_within(frame: FrameType | None) -> bool:
    """Return whether a frame is our code's or of what that calls, but for handlers."""
    while frame is not None and frame.f_code is not _HANDLER:
        if frame.f_code in _ours:
            return True
        frame = frame.f_back
    return False


class WaitingHandler:
    """A handler of the host's that waits.

    Attributes:
        handler: The host's.
    """

    def __init__(self, handler: _Handler) -> None:
        self.handler = handler

    def __call__(self, number: int, frame: FrameType | None) -> Any:
        """Run it, or let it wait."""
        if _is_within(frame):
            waiting[number] = self.handler, get_ident()
            return None
        try:
            return _run(self.handler, number, frame)
        finally:
            while waiting and handle():
                pass
