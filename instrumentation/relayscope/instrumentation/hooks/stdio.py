"""Hook for newline-delimited JSON-RPC on this process's own stdin and stdout, asyncio streams.

Only streams on the file descriptors 0 and 1 are watched; every other stream of the process passes
through after one dictionary look-up.
"""

from collections.abc import Awaitable, Callable, Collection
from typing import Any, Final
from weakref import WeakKeyDictionary

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from relayscope.instrumentation.channel import Channel
from relayscope.instrumentation.exchange import Exchange
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.process import shared_exchange
from relayscope.instrumentation.wire import Outgoing, Wire

_STDIN: Final = 0
_STDOUT: Final = 1

_LONGEST_LINE: Final = 16 * 1024 * 1024
"""Bytes kept of a line that is written in parts: a host may write what has no lines at all."""


class StdioInstrumentor(BaseInstrumentor):
    """Watches the lines that this process reads from stdin and writes to stdout."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Return nothing: asyncio is always there."""
        return ()

    def _instrument(self, exchange: Exchange | None = None, **_: Any) -> None:
        hook = _Hook(Wire(exchange or shared_exchange()))
        self._patches = Patches()
        self._patches.wrap("asyncio.streams", "StreamReader.readline", hook.readline)
        self._patches.wrap("asyncio.streams", "StreamWriter.write", hook.write)
        self._patches.wrap("asyncio.streams", "StreamWriter.writelines", hook.writelines)

    def _uninstrument(self, **_: Any) -> None:
        self._patches.remove()


class _Hook:
    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._channel = Channel.of_pipes("stdio")
        self._descriptors: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._begun = b""
        """The part of a line that has been written without its end."""

    async def readline(
        self, readline: Callable[..., Awaitable[bytes]], reader: Any, args: Any, kwargs: Any
    ) -> bytes:
        line = await readline(*args, **kwargs)
        if self._descriptor(reader, "_transport") == _STDIN:
            if not line:
                self._wire.closed(self._channel)
            elif line.strip():
                self._wire.received(self._channel, line.rstrip(b"\r\n"))
        return line

    def write(self, write: Callable[..., None], writer: Any, args: Any, kwargs: Any) -> None:
        if self._descriptor(writer, "transport") != _STDOUT:
            return write(*args, **kwargs)
        (data,) = args or (kwargs["data"],)
        return self._write_lines(write, bytes(data))

    def writelines(
        self, writelines: Callable[..., None], writer: Any, args: Any, kwargs: Any
    ) -> None:
        if self._descriptor(writer, "transport") != _STDOUT:
            return writelines(*args, **kwargs)
        (lines,) = args or (kwargs["data"],)
        return self._write_lines(lambda data: writelines([data]), b"".join(lines))

    def _write_lines(self, write: Callable[[bytes], None], data: bytes) -> None:
        """Write `data` at once, as the host does, and record each message that it completes."""
        pieces: list[bytes] = []
        outgoing: list[Outgoing[bytes]] = []
        *ends, rest = data.split(b"\n")
        for end in ends:
            piece = end
            if self._begun:
                # The first part of this line is on the wire: too late to change it.
                self._wire.sent_already(self._channel, self._begun + end)
                self._begun = b""
            elif end.strip():
                message = self._wire.sending(self._channel, end)
                if message is not None:
                    piece = message.data
                    outgoing.append(message)
            pieces.append(piece)
        self._begun = (self._begun + rest)[:_LONGEST_LINE]
        pieces.append(rest)
        write(b"\n".join(pieces))
        for message in outgoing:
            message.sent()

    def _descriptor(self, stream: Any, transport_attribute: str) -> int:
        """Return the file descriptor of the pipe under a stream, -1 where there is none."""
        descriptor = self._descriptors.get(stream)
        if descriptor is None:
            transport = getattr(stream, transport_attribute, None)
            pipe = transport.get_extra_info("pipe") if transport is not None else None
            descriptor = _fileno(pipe)
            if transport is not None:
                self._descriptors[stream] = descriptor
        return descriptor


def _fileno(pipe: Any) -> int:
    try:
        return int(pipe.fileno())
    except (AttributeError, OSError, ValueError, TypeError):
        return -1
