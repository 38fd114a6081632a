"""Hook for asyncio streams over pipes: this process's stdin and stdout, and those of children.

A stream is told to be a watched one when it is given its transport; only then its methods are
replaced, on the instance, so that the process's other streams cost nothing.
"""

from asyncio import CancelledError
from collections.abc import Awaitable, Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.hooks.patches import Patches
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel

from . import uvloop_children
from .child_end import ChildEnd, remember, tell_exit
from .child_process import channel_to_child
from .lines import IncomingLines, OutgoingLines
from .own_protocols import OwnProtocols, is_watched, watched_write

_STDIN: Final = 0
_STDOUT: Final = 1


class AsyncioPipes:
    """Watches asyncio's streams over pipes."""

    def __init__(self, text_exchange: TextExchange, channel: Channel | None = None) -> None:
        """Watch nothing yet.

        Args:
            text_exchange: Records the messages.
            channel: Of this process's own stdin and stdout.
        """
        self._text_exchange = text_exchange
        self._channel = channel or Channel.of_pipes("stdio")
        self._watched: WeakKeyDictionary[Any, tuple[str, ...]] = WeakKeyDictionary()
        """Streams with replaced methods."""
        self._protocols = OwnProtocols(text_exchange, self._channel)

    def patch_own(self, patches: Patches) -> None:
        """Notice streams over stdin and stdout as they are made."""
        patches.wrap("asyncio.streams", "StreamReader.set_transport", self._reader)
        patches.wrap("asyncio.streams", "StreamWriter.__init__", self._writer)
        self._protocols.patch_own(patches)

    def patch_children(self, patches: Patches) -> None:
        """Notice streams to children as they are made."""
        patches.wrap("asyncio.subprocess", "SubprocessStreamProtocol.connection_made", self._child)
        uvloop_children.patch_starts(patches)
        self._protocols.patch_children(patches)
        # What has ended is told to the protocol later than the stream's end.
        patches.wrap(
            "asyncio.base_subprocess", "BaseSubprocessTransport._process_exited", tell_exit
        )

    def release(self) -> None:
        """Give every watched stream its own methods back."""
        for stream, names in list(self._watched.items()):
            for name in names:
                vars(stream).pop(name, None)
        self._watched.clear()
        self._protocols.release()

    def _reader(
        self, set_transport: Callable[..., None], reader: Any, args: Any, kwargs: Any
    ) -> None:
        set_transport(*args, **kwargs)
        transport = args[0] if args else kwargs["transport"]
        if _descriptor(transport) == _STDIN:
            self.watch_reader(reader, IncomingLines(self._text_exchange, self._channel))

    def _writer(self, init: Callable[..., None], writer: Any, args: Any, kwargs: Any) -> None:
        init(*args, **kwargs)
        transport = args[0] if args else kwargs["transport"]
        if _descriptor(transport) == _STDOUT and not is_watched(transport):
            self.watch_writer(writer, self._channel)

    def _child(
        self, connection_made: Callable[..., None], protocol: Any, args: Any, kwargs: Any
    ) -> None:
        connection_made(*args, **kwargs)
        transport = args[0] if args else kwargs["transport"]
        self._watch_child(protocol, transport)

    @shielded
    def _watch_child(self, protocol: Any, transport: Any) -> None:
        popen = transport.get_extra_info("subprocess")
        child = popen or uvloop_children.child_of(protocol, transport)
        if child is None or protocol.stdin is None or protocol.stdout is None:
            return
        if connection_owner.is_held():
            connection_owner.started(transport)
            return
        channel = channel_to_child(child.args)
        self.watch_writer(protocol.stdin, channel)
        end = ChildEnd(self._text_exchange, channel, child)
        if popen is None:
            self._watched[protocol] = (uvloop_children.tell_exit_of(protocol, transport, end),)
        else:
            remember(transport, end)
        self.watch_reader(protocol.stdout, IncomingLines(self._text_exchange, channel, end.silent))

    @shielded
    def watch_reader(self, reader: Any, lines: IncomingLines) -> None:
        """Tell of what a stream reads."""
        if connection_owner.is_held():
            return
        own_feed_data, own_feed_eof = reader.feed_data, reader.feed_eof

        def feed_data(data: bytes) -> None:
            own_feed_data(data)
            lines.feed(data)

        def feed_eof() -> None:
            own_feed_eof()
            lines.ended()

        def reading(method: Callable[..., Awaitable[bytes]]) -> Callable[..., Awaitable[bytes]]:
            async def read(*args: Any, **kwargs: Any) -> bytes:
                lines.begin_to_read()
                try:
                    return await method(*args, **kwargs)
                except CancelledError:
                    lines.stopped_reading()
                    raise
                finally:
                    # However much it read or threw away: what it holds is what is unread.
                    if lines.has_unread:
                        lines.read(lines.arrived - len(reader._buffer))  # noqa: SLF001  # no other way to know

            return read

        own = {name: getattr(reader, name) for name in ("readuntil", "read", "readexactly")}
        replaced: dict[str, Any] = {name: reading(method) for name, method in own.items()}
        replaced |= {"feed_data": feed_data, "feed_eof": feed_eof}
        vars(reader).update(replaced)
        self._watched[reader] = tuple(replaced)

    @shielded
    def watch_writer(self, writer: Any, channel: Channel) -> None:
        """Tell of what a stream writes."""
        if connection_owner.is_held():
            return
        lines = OutgoingLines(self._text_exchange, channel, b"\n")
        own_write, own_writelines = writer.write, writer.writelines

        def writelines(data: Any) -> None:
            lines.write(lambda joined: own_writelines([joined]), b"".join(data))

        vars(writer).update(write=watched_write(own_write, lines), writelines=writelines)
        self._watched[writer] = ("write", "writelines")


def _descriptor(transport: Any) -> int:
    """Return the file descriptor of the pipe under a transport, -1 where there is none."""
    try:
        return int(transport.get_extra_info("pipe").fileno())
    except (AttributeError, OSError, ValueError, TypeError):
        return -1
