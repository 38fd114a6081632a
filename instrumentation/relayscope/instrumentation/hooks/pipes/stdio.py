"""Hook for newline-delimited JSON-RPC on this process's own stdin and stdout.

However they are used: as `sys.stdin` and `sys.stdout`, text or binary, or as asyncio streams. File
descriptors that are read and written with `os.read` and `os.write` are not watched.
"""

import sys
from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.text_exchange import LateTextExchange, TextExchange
from relayscope.instrumentation.traffic.channel import Channel

from .asyncio_pipes import AsyncioPipes
from .lines import IncomingLines, OutgoingLines
from .watched_reader import WatchedReader
from .watched_writer import watched_writer

if TYPE_CHECKING:
    from relayscope.instrumentation.exchange import Exchange

_NAMES: Final = ("stdin", "stdout", "__stdin__", "__stdout__")


class StdioInstrumentor(BaseInstrumentor):
    """Watches the lines that this process reads from stdin and writes to stdout."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: stdin and stdout are always there."""
        return ()

    def _instrument(self, exchange: "Exchange | None" = None, **_: Any) -> None:
        text_exchange = LateTextExchange(lambda: exchange or shared_exchange())
        channel = Channel.of_pipes("stdio")
        self._patches = Patches()
        self._pipes = AsyncioPipes(text_exchange, channel)
        self._pipes.patch_own(self._patches)
        self._files: list[tuple[str, Any, Any]] = []
        self._watch_files(text_exchange, channel)

    def _watch_files(self, text_exchange: TextExchange, channel: Channel) -> None:
        incoming = IncomingLines(text_exchange, channel)
        outgoing = (
            OutgoingLines(text_exchange, channel, "\n"),
            OutgoingLines(text_exchange, channel, b"\n"),
        )
        # A process without a console, or under another program's redirection, may have none.
        if sys.stdin is not None:
            self._stand_in(sys.stdin, WatchedReader(sys.stdin, incoming))
        if sys.stdout is not None:
            self._stand_in(sys.stdout, watched_writer(sys.stdout, *outgoing))

    def _stand_in(self, file: Any, watched: Any) -> None:
        """Put a watched file in the place of its own, by whichever name the host asks for it."""
        for name in _NAMES:
            if getattr(sys, name) is file:
                setattr(sys, name, watched)
                self._files.append((name, file, watched))

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()
        self._pipes.release()
        while self._files:
            name, file, watched = self._files.pop()
            if getattr(sys, name) is watched:
                setattr(sys, name, file)
