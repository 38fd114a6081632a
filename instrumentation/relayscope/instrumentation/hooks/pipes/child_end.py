"""The end of a child process: its exit status, seen without taking it from the host."""

from collections.abc import Callable
from typing import Any, Final

from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.channel_close import ChannelClose

from .exit_status import exit_status

_END: Final = "_relayscope_end"
"""Name of the attribute of a process, or its transport, that has its end."""


class ChildEnd:
    """Closes a channel when the child has said its last, and tells how it has ended.

    The end of its stdout comes first as a rule; then no answer can come any more, but how the child
    ended may be known only when the host reaps it.
    """

    def __init__(self, text_exchange: TextExchange, channel: Channel, process: Any) -> None:
        """Wait for the end of the process: a `Popen`, or what has its `pid`."""
        self._text_exchange = text_exchange
        self._channel = channel
        self._pid: int = process.pid
        self._status: int | None = None
        self._is_silent = False

    @shielded
    def silent(self) -> None:
        """Say that nothing more will come out of it."""
        self._is_silent = True
        self._text_exchange.gave_up_all(self._channel)
        status = exit_status(self._pid) if self._status is None else self._status
        if status is not None:
            self._text_exchange.closed(self._channel, ChannelClose(exit_status=status))

    def exited(self, status: int | None) -> None:
        """Say that the host has been told how it has ended."""
        if status is None or self._status is not None:
            return
        self._status = status
        if self._is_silent:
            self._text_exchange.closed(self._channel, ChannelClose(exit_status=status))


def remember(process: Any, end: ChildEnd) -> None:
    """Let a process, or its transport, be known by its end."""
    vars(process)[_END] = end


def tell_exit(reap: Callable[..., Any], process: Any, args: Any, kwargs: Any) -> Any:
    """Wrap the method that gives a process, or its transport, its exit status."""
    result = reap(*args, **kwargs)
    _tell(process)
    return result


@shielded
def _tell(process: Any) -> None:
    end = vars(process).get(_END)
    if end is not None:
        # A transport's is private to it, and asked for by a method.
        asked = getattr(process, "get_returncode", None)
        end.exited(process.returncode if asked is None else asked())


def ending_of(transport: Any) -> ChannelClose:
    """Return how the child of asyncio's transport has ended, if it has."""
    status = transport.get_returncode()
    return ChannelClose(exit_status=exit_status(transport.get_pid()) if status is None else status)
