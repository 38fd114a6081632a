"""A relay made of the `mcp` SDK's sessions, 2.x: one with the client, one with the backend.

usage: sdk2_relay.py (stdio | http PORT | reading PORT) (COMMAND ... | URL)

It forwards requests of all kinds, and what the backend asks and says. `reading` is `http` behind
middlewares that read each body.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

import uvicorn
from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server import Server
from mcp.server.stdio import stdio_server


class Relay:
    """A relay that says on one side what was said on the other."""

    def __init__(self) -> None:
        forward = self._forward
        self.server: Any = Server(
            "relay",
            on_list_tools=forward(types.ListToolsRequest, types.ListToolsResult),
            on_call_tool=forward(types.CallToolRequest, types.CallToolResult),
            on_list_prompts=forward(types.ListPromptsRequest, types.ListPromptsResult),
            on_get_prompt=forward(types.GetPromptRequest, types.GetPromptResult),
            on_list_resources=forward(types.ListResourcesRequest, types.ListResourcesResult),
            on_list_resource_templates=forward(
                types.ListResourceTemplatesRequest, types.ListResourceTemplatesResult
            ),
            on_read_resource=forward(types.ReadResourceRequest, types.ReadResourceResult),
            on_subscribe_resource=forward(types.SubscribeRequest, types.EmptyResult),
            on_unsubscribe_resource=forward(types.UnsubscribeRequest, types.EmptyResult),
            on_completion=forward(types.CompleteRequest, types.CompleteResult),
            on_set_logging_level=forward(types.SetLevelRequest, types.EmptyResult),
        )
        self._client: Any = None

    def session(self, read: Any, write: Any) -> ClientSession:
        """Return the session with the backend over these streams."""
        self._backend = ClientSession(
            read,
            write,
            sampling_callback=self._sample,
            elicitation_callback=self._elicit,
            list_roots_callback=self._roots,
            logging_callback=self._log,
            message_handler=self._hear,
        )
        return self._backend

    def _forward(self, request_type: Any, result_type: Any) -> Callable[..., Awaitable[Any]]:
        async def forward(context: Any, params: Any) -> Any:
            self._client = client = context.session
            token = (context.meta or {}).get("progress_token")

            async def step(progress: float, total: float | None, message: str | None) -> None:
                related = str(context.request_id)
                await client.send_progress_notification(token, progress, total, message, related)

            return await self._backend.send_request(
                request_type(params=params),
                result_type,
                progress_callback=None if token is None else step,
            )

        return forward

    async def _sample(self, _: Any, params: Any) -> Any:
        return await self._client.create_message(params.messages, max_tokens=params.max_tokens)

    async def _elicit(self, _: Any, params: Any) -> Any:
        return await self._client.elicit_form(params.message, params.requested_schema)

    async def _roots(self, _: Any) -> Any:
        return await self._client.list_roots()

    async def _log(self, params: Any) -> None:
        await self._client.send_log_message(params.level, params.data)

    async def _hear(self, message: Any) -> None:
        if isinstance(message, types.ResourceUpdatedNotification):
            await self._client.send_resource_updated(message.params.uri)

    async def serve_stdio(self) -> None:
        """Serve until the client closes its end."""
        async with stdio_server() as (read, write):
            await self.server.run(read, write, self.server.create_initialization_options())

    async def serve_http(self, port: int, kind: str) -> None:
        """Serve streamable HTTP, of the protocol versions with sessions and without."""
        application = self.server.streamable_http_app()
        if kind == "reading":
            import_module("body_readers").read_bodies(application)
        config = uvicorn.Config(application, host="127.0.0.1", port=port, log_level="warning")
        await uvicorn.Server(config).serve()


def _open(target: list[str]) -> Any:
    """Open the streams to a backend."""
    first, *rest = target
    if first.startswith("http:"):
        return streamable_http_client(first)
    return stdio_client(StdioServerParameters(command=first, args=rest, env=dict(os.environ)))


async def main() -> None:
    """Relay until the client closes its end, or for ever."""
    transport, *target = sys.argv[1:]
    port = 0 if transport == "stdio" else int(target.pop(0))
    relay = Relay()
    async with _open(target) as (read, write), relay.session(read, write) as backend:
        await backend.initialize()
        if transport == "stdio":
            await relay.serve_stdio()
        else:
            await relay.serve_http(port, transport)


if __name__ == "__main__":
    asyncio.run(main())
