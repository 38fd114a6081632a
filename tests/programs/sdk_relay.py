"""A relay made of the `mcp` SDK's sessions, 1.x: one with the client, one with the backend.

usage: sdk_relay.py (stdio | (http | reading | stateless | sse) PORT) (COMMAND ... | URL)

It forwards requests of all kinds, and what the backend asks and says. `reading` is `http` behind
middlewares that read each body.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import Any

import uvicorn
from mcp import ClientSession, StdioServerParameters, types
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel import Server
from mcp.server.session import ServerSession
from mcp.server.sse import SseServerTransport
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from pydantic import AnyUrl
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route

FORWARDED: dict[Any, Any] = {
    types.ListToolsRequest: types.ListToolsResult,
    types.CallToolRequest: types.CallToolResult,
    types.ListPromptsRequest: types.ListPromptsResult,
    types.GetPromptRequest: types.GetPromptResult,
    types.ListResourcesRequest: types.ListResourcesResult,
    types.ListResourceTemplatesRequest: types.ListResourceTemplatesResult,
    types.ReadResourceRequest: types.ReadResourceResult,
    types.SubscribeRequest: types.EmptyResult,
    types.UnsubscribeRequest: types.EmptyResult,
    types.CompleteRequest: types.CompleteResult,
    types.SetLevelRequest: types.EmptyResult,
}
"""The requests, and what answers them."""


class Relay:
    """A relay that says on one side what was said on the other.

    Attributes:
        backend: The session with the backend, or what sends its requests.
    """

    def __init__(self) -> None:
        self.backend: Any = None
        self.server: Server[Any, Any] = Server("relay")
        for request, result in FORWARDED.items():
            self.server.request_handlers[request] = self._forward(request, result)
        self._client: ServerSession | None = None

    @asynccontextmanager
    async def session(self, read: Any, write: Any) -> AsyncIterator[ClientSession]:
        """Talk to a backend over these streams."""
        async with ClientSession(
            read,
            write,
            sampling_callback=self._sample,
            elicitation_callback=self._elicit,
            list_roots_callback=self._roots,
            logging_callback=self._log,
            message_handler=self._hear,
        ) as session:
            await session.initialize()
            # It checks a result against the tool's schema, which it would ask for in the middle.
            await session.list_tools()
            yield session

    def _forward(
        self, request_type: Any, result_type: type[Any]
    ) -> Callable[[Any], Awaitable[types.ServerResult]]:
        async def forward(request: Any) -> types.ServerResult:
            context = self.server.request_context
            self._client = client = context.session
            token = context.meta.progressToken if context.meta is not None else None

            async def step(progress: float, total: float | None, message: str | None) -> None:
                assert token is not None
                related = str(context.request_id)
                await client.send_progress_notification(token, progress, total, message, related)

            result = await self.backend.send_request(
                types.ClientRequest(request_type(params=request.params)),
                result_type,
                progress_callback=None if token is None else step,
            )
            return types.ServerResult(result)

        return forward

    async def _sample(self, context: Any, params: types.CreateMessageRequestParams) -> Any:  # noqa: ARG002  # as the SDK calls it
        return await self._the_client.create_message(params.messages, max_tokens=params.maxTokens)

    async def _elicit(self, context: Any, params: types.ElicitRequestParams) -> types.ElicitResult:  # noqa: ARG002  # as the SDK calls it
        assert isinstance(params, types.ElicitRequestFormParams)
        return await self._the_client.elicit(params.message, params.requestedSchema)

    async def _roots(self, context: Any) -> types.ListRootsResult:  # noqa: ARG002  # as the SDK calls it
        return await self._the_client.list_roots()

    async def _log(self, params: types.LoggingMessageNotificationParams) -> None:
        await self._the_client.send_log_message(params.level, params.data)

    async def _hear(self, message: Any) -> None:
        if isinstance(message, types.ServerNotification):
            said = message.root
            if isinstance(said, types.ResourceUpdatedNotification):
                await self._the_client.send_resource_updated(AnyUrl(said.params.uri))

    @property
    def _the_client(self) -> ServerSession:
        assert self._client is not None
        return self._client

    async def serve_stdio(self) -> None:
        """Serve until the client closes its end."""
        async with stdio_server() as (read, write):
            await self.server.run(read, write, self.server.create_initialization_options())

    async def serve_http(self, port: int, kind: str) -> None:
        """Serve streamable HTTP."""
        manager = StreamableHTTPSessionManager(self.server, stateless=kind == "stateless")
        application = Starlette(routes=[Mount("/mcp", manager.handle_request)])
        if kind == "reading":
            import_module("body_readers").read_bodies(application)
        async with manager.run():
            await _serve(application, port)

    async def serve_sse(self, port: int) -> None:
        """Serve the transport that streamable HTTP came after."""
        transport = SseServerTransport("/messages/")

        async def connect(request: Request) -> Response:
            streams = transport.connect_sse(request.scope, request.receive, request._send)  # noqa: SLF001  # as the SDK's manual has it
            async with streams as (read, write):
                await self.server.run(read, write, self.server.create_initialization_options())
            return Response()

        routes = [Route("/sse", connect), Mount("/messages/", transport.handle_post_message)]
        await _serve(Starlette(routes=routes), port)


async def _serve(application: Starlette, port: int) -> None:
    config = uvicorn.Config(application, host="127.0.0.1", port=port, log_level="warning")
    await uvicorn.Server(config).serve()


def open_backend(target: list[str]) -> Any:
    """Open the streams to a backend."""
    first, *rest = target
    if first.endswith("/sse"):
        return sse_client(first)
    if first.startswith("http:"):
        return streamable_http_client(first)
    return stdio_client(StdioServerParameters(command=first, args=rest, env=dict(os.environ)))


async def main() -> None:
    """Relay until the client closes its end, or for ever."""
    transport, *target = sys.argv[1:]
    port = 0 if transport == "stdio" else int(target.pop(0))
    relay = Relay()
    async with AsyncExitStack() as stack:
        read, write, *_ = await stack.enter_async_context(open_backend(target))
        relay.backend = await stack.enter_async_context(relay.session(read, write))
        match transport:
            case "stdio":
                await relay.serve_stdio()
            case "sse":
                await relay.serve_sse(port)
            case _:
                await relay.serve_http(port, transport)


if __name__ == "__main__":
    asyncio.run(main())
