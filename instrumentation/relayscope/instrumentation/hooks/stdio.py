"""Hook for newline-delimited JSON-RPC on this process's own stdin and stdout.

However they are used: as `sys.stdin` and `sys.stdout`, text or binary, or as asyncio streams. File
descriptors that are read and written with `os.read` and `os.write` are not watched.
"""

import sys
from collections.abc import Collection
from typing import Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.channel import Channel
from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks.asyncio_pipes import AsyncioPipes
from relayscope.instrumentation.hooks.lines import IncomingLines, OutgoingLines
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.hooks.text_pipes import WatchedReader, WatchedWriter
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.wire import Wire


class StdioInstrumentor(BaseInstrumentor):
    """Watches the lines that this process reads from stdin and writes to stdout."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: stdin and stdout are always there."""
        return ()

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        wire = Wire(exchange or shared_exchange())
        channel = Channel.of_pipes("stdio")
        self._patches = Patches()
        self._pipes = AsyncioPipes(wire, channel)
        self._pipes.patch_own(self._patches)
        self._watch_files(wire, channel)

    def _watch_files(self, wire: Wire, channel: Channel) -> None:
        self._stdin, self._stdout = sys.stdin, sys.stdout
        # A process without a console, or under another program's redirection, may have none.
        if self._stdin is not None:
            lines = IncomingLines(wire, channel)
            sys.stdin = WatchedReader(self._stdin, lines)
        if self._stdout is not None:
            sys.stdout = WatchedWriter(
                self._stdout,
                OutgoingLines(wire, channel, "\n"),
                OutgoingLines(wire, channel, b"\n"),
            )

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()
        self._pipes.release()
        if isinstance(sys.stdin, WatchedReader):
            sys.stdin = self._stdin
        if isinstance(sys.stdout, WatchedWriter):
            sys.stdout = self._stdout
