"""An MCP backend that does on the wire whatever a call asks it to.

usage: busy_backend.py (stdio | websocket PORT | http PORT)

Each call carries a mark, which is in everything that is said because of it. A call may ask for a
long answer, an error, a notification, or for a request back to the client, whose answer the call's
own answer waits for.
"""

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from websockets.asyncio.server import ServerConnection, serve

Json = dict[str, Any]

TOOL = "work"
SESSION = "the-one-session"


def filler(seed: str, size: int) -> str:
    """Return text of about this many bytes, the same for the same seed."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("abdegiklmnoprstuzäßéжя語😀", k=7)) for _ in range(20)]
    line = " ".join(words)
    repeats = size // len(line.encode()) + 1
    return (line * repeats).encode()[:size].decode("utf-8", "ignore")


class Backend:
    """The conversation with one client; knows nothing of the transport."""

    def __init__(self) -> None:
        self._waiting: dict[str, Json] = {}

    def feed(self, message: Json) -> list[Json]:  # noqa: PLR0911  # one for each method
        """Take one message; return what is said now."""
        identifier = message.get("id")
        if "method" not in message:
            call = self._waiting.pop(str(identifier), None)
            return [self._result(call)] if call is not None else []
        head = {"jsonrpc": "2.0", "id": identifier}
        match message["method"]:
            case "initialize":
                result = {
                    "protocolVersion": message["params"]["protocolVersion"],
                    "capabilities": {"tools": {}, "logging": {}},
                    "serverInfo": {"name": "busy", "version": "1.0"},
                }
                return [{**head, "result": result}]
            case "tools/list":
                tool = {"name": TOOL, "description": "Works.", "inputSchema": {"type": "object"}}
                return [{**head, "result": {"tools": [tool]}}]
            case "tools/call":
                return self._call(message)
            case "ping" | "logging/setLevel":
                return [{**head, "result": {}}]
            case "busy/echo":
                return [{**head, "result": message.get("params")}]
            case _ if identifier is None:
                return []
            case method:
                return [{**head, "error": {"code": -32601, "message": f"no method {method}"}}]

    def _call(self, message: Json) -> list[Json]:
        arguments = message["params"]["arguments"]
        mark = arguments["mark"]
        said: list[Json] = []
        for number in range(arguments.get("notes", 0)):
            text = f"{mark}-note-{number} {filler(mark, 40)}"
            note = {"level": "info", "data": text}
            said.append({"jsonrpc": "2.0", "method": "notifications/message", "params": note})
        if arguments.get("ask"):
            self._waiting[f"{mark}-ask"] = message
            content = {"type": "text", "text": f"{mark}-ask {filler(mark, 100)}"}
            params = {"messages": [{"role": "user", "content": content}], "maxTokens": 10}
            said.append(
                {
                    "jsonrpc": "2.0",
                    "id": f"{mark}-ask",
                    "method": "sampling/createMessage",
                    "params": params,
                }
            )
        else:
            said.append(self._result(message))
        return said

    def _result(self, call: Json) -> Json:
        arguments = call["params"]["arguments"]
        head = {"jsonrpc": "2.0", "id": call["id"]}
        mark = arguments["mark"]
        text = f"{mark} {filler(mark, arguments.get('size', 0))}"
        if arguments.get("outcome") == "error":
            return {**head, "error": {"code": -32050, "message": text}}
        failed = arguments.get("outcome") == "tool_error"
        return {**head, "result": {"content": [{"type": "text", "text": text}], "isError": failed}}

    def answer(self, text: str) -> list[str]:
        """Take the text of a message or a batch; return the texts that are said now."""
        data = json.loads(text)
        if isinstance(data, list):
            answers = [answer for message in data for answer in self.feed(message)]
            return [json.dumps(answers, ensure_ascii=False)] if answers else []
        return [json.dumps(answer, ensure_ascii=False) for answer in self.feed(data)]


def serve_stdio() -> None:
    """Read lines and print lines, as a script does."""
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a real file
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    backend = Backend()
    for line in sys.stdin:
        for answer in backend.answer(line):
            print(answer, flush=True)


async def serve_websocket(port: int) -> None:
    """Serve each connection by itself."""

    async def handle(connection: ServerConnection) -> None:
        backend = Backend()
        async for text in connection:
            for answer in backend.answer(text if isinstance(text, str) else text.decode()):
                await connection.send(answer)

    async with serve(handle, "127.0.0.1", port, max_size=None) as server:
        await server.serve_forever()


def serve_http(port: int) -> None:
    """Serve streamable HTTP: JSON for one answer, an event stream for several."""
    backend = Backend()
    waiting: dict[str, asyncio.Queue[str]] = {}

    async def post(request: Request) -> Response:
        message = json.loads(await request.body())
        answers = backend.answer(json.dumps(message))
        if isinstance(message, dict) and "method" not in message:
            waiting.pop(message["id"]).put_nowait(answers[0])
            return Response(status_code=202)
        if not answers:
            return Response(status_code=202)
        if len(answers) == 1 and "method" not in json.loads(answers[0]):
            headers = {"mcp-session-id": SESSION}
            return Response(answers[0], media_type="application/json", headers=headers)
        return StreamingResponse(events(answers), media_type="text/event-stream")

    async def events(answers: list[str]) -> AsyncIterator[str]:
        last = json.loads(answers[-1])
        if "method" in last:
            waiting[last["id"]] = asyncio.Queue()
        for answer in answers:
            yield f"event: message\ndata: {answer}\n\n"
        if "method" in last:
            yield f"event: message\ndata: {await waiting[last['id']].get()}\n\n"

    application = Starlette(routes=[Route("/mcp", post, methods=["POST"])])
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    match sys.argv[1]:
        case "stdio":
            serve_stdio()
        case "websocket":
            asyncio.run(serve_websocket(int(sys.argv[2])))
        case "http":
            serve_http(int(sys.argv[2]))
