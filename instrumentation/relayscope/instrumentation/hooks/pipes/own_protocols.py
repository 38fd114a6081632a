"""Protocols that a host has written itself, over pipes on asyncio's own loops.

Other than a stream's, their data is read as it arrives: its span is current in the call in which
the protocol is given it. The protocol's methods are replaced, on the instance, before it is given a
transport; then the transport's own `write` is. uvloop's transports let nothing be replaced.
"""

from asyncio import StreamReaderProtocol
from asyncio.base_subprocess import WriteSubprocessPipeProto
from asyncio.subprocess import SubprocessStreamProtocol
from collections.abc import Awaitable, Callable
from typing import Any, Final
from weakref import WeakKeyDictionary

from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.hooks.patches import Patches, Wrapper
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel

from .child_end import ChildEnd, remember
from .child_process import channel_to_child
from .lines import IncomingLines, OutgoingLines

_STDIN: Final = 0
_STDOUT: Final = 1


class OwnProtocols:
    """Watches protocols over pipes that are no streams."""

    def __init__(self, text_exchange: TextExchange, channel: Channel) -> None:
        """Watch nothing yet.

        Args:
            text_exchange: Records the messages.
            channel: Of this process's own stdin and stdout.
        """
        self._text_exchange = text_exchange
        self._channel = channel
        self._watched: WeakKeyDictionary[Any, tuple[str, ...]] = WeakKeyDictionary()
        """Protocols and transports with replaced methods."""

    def patch_own(self, patches: Patches) -> None:
        """Notice protocols over stdin and stdout as they are made."""
        module, loop = "asyncio.base_events", "BaseEventLoop"
        patches.wrap(module, f"{loop}.connect_read_pipe", _making(self._over_stdin))
        patches.wrap(module, f"{loop}.connect_write_pipe", self._over_stdout)

    def patch_children(self, patches: Patches) -> None:
        """Notice protocols of children as they are made."""
        for method in ("subprocess_exec", "subprocess_shell"):
            patches.wrap(
                "asyncio.base_events", f"BaseEventLoop.{method}", _making(self._over_child)
            )

    def release(self) -> None:
        """Give everything that is watched its own methods back."""
        for watched, names in list(self._watched.items()):
            for name in names:
                vars(watched).pop(name, None)
        self._watched.clear()

    @shielded
    def _over_stdin(self, protocol: Any, pipe: Any) -> None:
        if (
            isinstance(protocol, StreamReaderProtocol)
            or pipe.fileno() != _STDIN
            or self._is_anothers(protocol)
        ):
            return
        lines = IncomingLines(self._text_exchange, self._channel)
        own_data_received, own_eof_received = protocol.data_received, protocol.eof_received

        def data_received(data: bytes) -> None:
            lines.feed(data)
            lines.read(lines.arrived)
            own_data_received(data)

        def eof_received() -> Any:
            lines.ended()
            return own_eof_received()

        self._replace(protocol, data_received=data_received, eof_received=eof_received)

    async def _over_stdout(
        self, connect: Callable[..., Awaitable[Any]], _loop: Any, args: Any, kwargs: Any
    ) -> Any:
        # Most protocols that are given for writing have no room for a method, nor use for one.
        connected = await connect(*args, **kwargs)
        self._watch_stdout(*connected)
        return connected

    @shielded
    def _watch_stdout(self, transport: Any, protocol: Any) -> None:
        pipe = transport.get_extra_info("pipe")
        if pipe.fileno() == _STDOUT and not self._is_anothers(protocol):
            self._watch_writes(transport, self._channel)

    @shielded
    def _over_child(self, protocol: Any, *_command: Any, **_options: Any) -> None:
        if isinstance(protocol, SubprocessStreamProtocol) or self._is_anothers(protocol):
            return
        lines: IncomingLines | None = None
        own_connection_made = protocol.connection_made
        own_data_received = protocol.pipe_data_received
        own_connection_lost = protocol.pipe_connection_lost

        def connection_made(transport: Any) -> None:
            nonlocal lines
            lines = self._lines_of_child(transport)
            own_connection_made(transport)

        def pipe_data_received(descriptor: int, data: bytes) -> None:
            if descriptor == _STDOUT and lines is not None:
                lines.feed(data)
                lines.read(lines.arrived)
            own_data_received(descriptor, data)

        def pipe_connection_lost(descriptor: int, error: Exception | None) -> None:
            if descriptor == _STDOUT and lines is not None:
                lines.ended()
            own_connection_lost(descriptor, error)

        self._replace(
            protocol,
            connection_made=connection_made,
            pipe_data_received=pipe_data_received,
            pipe_connection_lost=pipe_connection_lost,
        )

    @shielded
    def _lines_of_child(self, transport: Any) -> IncomingLines | None:
        popen = transport.get_extra_info("subprocess")
        stdin = transport.get_pipe_transport(_STDIN)
        if popen is None or stdin is None or transport.get_pipe_transport(_STDOUT) is None:
            return None
        channel = channel_to_child(popen.args)
        end = ChildEnd(self._text_exchange, channel, popen)
        remember(transport, end)
        self._watch_writes(stdin, channel)
        return IncomingLines(self._text_exchange, channel, end.silent)

    @shielded
    def _watch_writes(self, transport: Any, channel: Channel) -> None:
        # Its `writelines` writes with it.
        lines = OutgoingLines(self._text_exchange, channel, b"\n")
        self._replace(transport, write=watched_write(transport.write, lines))

    def _is_anothers(self, protocol: Any) -> bool:
        """Return whether another layer records what is said, or it is watched for another pipe."""
        return (
            isinstance(protocol, WriteSubprocessPipeProto)
            or connection_owner.is_held()
            or protocol in self._watched
        )

    def _replace(self, owner: Any, **methods: Callable[..., Any]) -> None:
        vars(owner).update(methods)
        self._watched[owner] = tuple(methods)


def watched_write(own_write: Callable[[Any], None], lines: OutgoingLines) -> Callable[[Any], None]:
    """Return what writes bytes as a transport or a stream of asyncio does, and tells of it."""

    def write(data: Any) -> None:
        # A transport refuses what is not bytes, of which `bytes` makes some.
        if isinstance(data, bytes | bytearray | memoryview):
            lines.write(own_write, bytes(data))
        else:
            own_write(data)

    return write


def is_watched(transport: Any) -> bool:
    """Return whether what a transport writes is told of."""
    return "write" in getattr(transport, "__dict__", ())


def _making(watch: Callable[..., None]) -> Wrapper:
    """Wrap a method of a loop that is given a function which makes a protocol."""

    def method(wrapped: Callable[..., Any], _loop: Any, args: Any, kwargs: Any) -> Any:
        if not args:
            return wrapped(**kwargs)
        make, *others = args

        def made() -> Any:
            protocol = make()
            # One with `__slots__` alone has no room for other methods.
            if hasattr(protocol, "__dict__"):
                watch(protocol, *others, **kwargs)
            return protocol

        return wrapped(made, *others, **kwargs)

    return method
