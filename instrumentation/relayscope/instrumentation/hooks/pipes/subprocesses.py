"""Hook for child processes that speak JSON-RPC on their stdin and stdout: a relay's stdio backends.

Started with `subprocess.Popen`, or with asyncio or anyio, which come down to it but on uvloop.
"""

from collections.abc import Callable, Collection
from time import time_ns
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import LateTextExchange

from . import child_process
from .asyncio_pipes import AsyncioPipes
from .child_end import ChildEnd, remember, tell_exit
from .communicate import communicate
from .exit_status import LEARNING_METHODS
from .lines import IncomingLines, OutgoingLines
from .watched_reader import WatchedReader
from .watched_writer import watched_writer

if TYPE_CHECKING:
    from relayscope.instrumentation.exchange import Exchange


class SubprocessInstrumentor(BaseInstrumentor):
    """Watches the lines that this process exchanges with its children."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: `subprocess` is always there."""
        return ()

    def _instrument(self, exchange: "Exchange | None" = None, **_: Any) -> None:
        self._text_exchange = LateTextExchange(lambda: exchange or shared_exchange())
        self._patches = Patches()
        self._pipes = AsyncioPipes(self._text_exchange)
        self._pipes.patch_children(self._patches)
        self._patches.wrap("subprocess", "Popen.__init__", self._start)
        for method in LEARNING_METHODS:
            self._patches.wrap("subprocess", f"Popen.{method}", tell_exit)
        self._patches.wrap("subprocess", "Popen.communicate", communicate)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()
        self._pipes.release()

    def _start(self, init: Callable[..., None], popen: Any, args: Any, kwargs: Any) -> None:
        handed_on = child_process.handed_on(args, kwargs)
        started = time_ns()
        try:
            init(*args, **(kwargs if handed_on is None else handed_on))
        except OSError as error:
            self._not_started(args, kwargs, started, error)
            raise
        self._watch(popen)

    @shielded
    def _not_started(self, args: Any, kwargs: Any, started: int, error: OSError) -> None:
        """Record it here also for a layer above: nobody else sees it fail, whatever starts it."""
        given = child_process.given(args, kwargs)
        if child_process.is_piped(given):
            channel = child_process.channel_to_child(given["args"])
            self._text_exchange.connect_failed(channel, started, error)

    @shielded
    def _watch(self, popen: Any) -> None:
        # asyncio gives a socket for stdin, and watches its own streams.
        if connection_owner.is_held() or popen.stdin is None or popen.stdout is None:
            return
        channel = child_process.channel_to_child(popen.args)
        end = ChildEnd(self._text_exchange, channel, popen)
        remember(popen, end)
        lines = IncomingLines(self._text_exchange, channel, end.silent)
        popen.stdout = WatchedReader(popen.stdout, lines)
        popen.stdin = watched_writer(
            popen.stdin,
            OutgoingLines(self._text_exchange, channel, "\n"),
            OutgoingLines(self._text_exchange, channel, b"\n"),
        )
