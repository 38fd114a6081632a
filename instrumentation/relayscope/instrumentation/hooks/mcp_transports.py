"""Which transport is under a pair of streams of the `mcp` SDK 1.x.

A session is given two streams and does not know what they lead to; the function that opened them
does. So each of those is wrapped to write a channel's description beside the streams it yields.
"""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import urlsplit
from weakref import WeakKeyDictionary

import wrapt

from relayscope.instrumentation.channel import Channel
from relayscope.instrumentation.shield import shielded

from .patches import Patches

Describe = Callable[[Any, Any, Any], Channel]
"""From the instance, the positional and the keyword arguments of the wrapped function."""


def _stdio_client(_: Any, args: Any, kwargs: Any) -> Channel:
    server = args[0] if args else kwargs["server"]
    command = [server.command, *server.args]
    if PurePath(command[0]).name == "relayscope-instrument" and "--" in command:
        command = command[command.index("--") + 1 :]
    return Channel.of_pipes(" ".join(PurePath(word).name for word in command[:2]))


def _stdio_server(_: Any, _args: Any, _kwargs: Any) -> Channel:
    return Channel.of_pipes("stdio")


def _url_client(protocol: str) -> Describe:
    def describe(_: Any, args: Any, kwargs: Any) -> Channel:
        address = urlsplit(str(args[0] if args else kwargs["url"]))
        port = address.port or (443 if address.scheme in ("https", "wss") else 80)
        return Channel.of_socket(protocol, (address.hostname, port))

    return describe


def _http_server(transport: Any, _args: Any, _kwargs: Any) -> Channel:
    channel = Channel.of_socket("http", None)
    channel.session_id = getattr(transport, "mcp_session_id", None) or ""
    return channel


_OPENERS: Final[tuple[tuple[str, str, Describe], ...]] = (
    ("mcp.client.stdio", "stdio_client", _stdio_client),
    ("mcp.server.stdio", "stdio_server", _stdio_server),
    ("mcp.client.sse", "sse_client", _url_client("http")),
    ("mcp.client.streamable_http", "streamable_http_client", _url_client("http")),
    ("mcp.client.streamable_http", "streamablehttp_client", _url_client("http")),
    ("mcp.client.websocket", "websocket_client", _url_client("websocket")),
    ("mcp.server.sse", "SseServerTransport.connect_sse", _http_server),
    ("mcp.server.streamable_http", "StreamableHTTPServerTransport.connect", _http_server),
)


class Transports:
    """The channels of streams that have been opened and not been given to a session yet."""

    def __init__(self) -> None:
        self._channels: WeakKeyDictionary[Any, Channel] = WeakKeyDictionary()

    def watch(self, patches: Patches) -> None:
        """Wrap every function of the SDK that opens streams."""
        for module_name, path, describe in _OPENERS:
            patches.wrap(module_name, path, self._opener(describe))

    def channel_of(self, read_stream: Any) -> Channel:
        """Return the channel under a session's read stream: `memory` when nothing opened it."""
        return self._channels.pop(read_stream, None) or Channel(peer="memory", transport={})

    def _opener(self, describe: Describe) -> Callable[[Any, Any, Any, Any], Any]:
        def opener(wrapped: Any, instance: Any, args: Any, kwargs: Any) -> Any:
            return _Opening(wrapped(*args, **kwargs), self, (describe, instance, args, kwargs))

        return opener

    @shielded
    def opened(self, streams: Any, description: tuple[Describe, Any, Any, Any]) -> None:
        """Remember what is under the streams that have just been yielded."""
        describe, *arguments = description
        self._channels[streams[0]] = describe(*arguments)


class _Opening(wrapt.ObjectProxy[Any]):
    """The SDK's async context manager, which yields the streams."""

    def __init__(self, opening: Any, transports: Transports, description: Any) -> None:
        super().__init__(opening)
        self._self_transports = transports
        self._self_description = description

    async def __aenter__(self) -> Any:
        streams = await self.__wrapped__.__aenter__()
        self._self_transports.opened(streams, self._self_description)
        return streams

    async def __aexit__(self, *exc_info: object) -> Any:
        return await self.__wrapped__.__aexit__(*exc_info)
