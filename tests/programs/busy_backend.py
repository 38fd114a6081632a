"""An MCP backend that does on the wire whatever a call asks it to.

usage: busy_backend.py (stdio | websocket PORT | http PORT | sse PORT)

Each call carries a mark, which is in everything that is said because of it. A call may ask for a
long answer, an image or what else tools answer with, an error, notifications of two kinds, for a
request back to the client, whose answer the call's own answer waits for, or for no answer until it
is cancelled.
"""

import argparse
import asyncio
import json
import random
import sys
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Mount, Route
from websockets.asyncio.server import ServerConnection, serve

Json = dict[str, Any]

TOOL = "work"
PROMPT = "write"
FOLDER = "busy://box/"
"""The beginning of each resource's address; the mark follows."""


def filler(seed: str, size: int) -> str:
    """Return text of about this many bytes, the same for the same seed."""
    chance = random.Random(seed)
    words = ["".join(chance.choices("abdegiklmnoprstuzäßéжя語😀", k=7)) for _ in range(20)]
    line = " ".join(words)
    repeats = size // len(line.encode()) + 1
    return (line * repeats).encode()[:size].decode("utf-8", "ignore")


def binary(seed: str, size: int) -> str:
    """Return base64 of this many bytes, the same for the same seed."""
    return b64encode(random.Random(seed).randbytes(size)).decode()


def source(secret: str, size: int) -> str:
    """Return the source of a program, with a secret if there is one."""
    first = f'API_KEY = "{secret}"\n' if secret else ""
    return first + Path(argparse.__file__).read_text(encoding="utf-8")[:size]


def rows(seed: str, secret: str, size: int) -> str:
    """Return rows of a table as JSON, with a token beside them if there is a secret."""
    chance = random.Random(seed)
    table = [
        {"id": number, "name": chance.choice(["Łódź", "Bern"]), "share": chance.randrange(99) / 4}
        for number in range(size // 40)
    ]
    return json.dumps({"rows": table, **({"token": secret} if secret else {})}, indent=2)


CONTENTS: dict[str, Callable[[str, str, int], Json]] = {
    "image": lambda seed, _, size: {
        "type": "image",
        "data": binary(seed, size),
        "mimeType": "image/png",
    },
    "audio": lambda seed, _, size: {
        "type": "audio",
        "data": binary(seed, size),
        "mimeType": "audio/wav",
    },
    "blob": lambda seed, _, size: {
        "type": "resource",
        "resource": {
            "uri": FOLDER + seed,
            "mimeType": "application/pdf",
            "blob": binary(seed, size),
        },
    },
    "picture in a text": lambda seed, _, size: {
        "type": "text",
        "text": f"![{seed}](data:image/png;base64,{binary(seed, size)})",
    },
    "source": lambda _, secret, size: {"type": "text", "text": source(secret, size)},
    "rows": lambda seed, secret, size: {"type": "text", "text": rows(seed, secret, size)},
}
"""Contents of a tool's answer, from a seed, a secret that may be empty, and a size."""


def _answer(message: Json, result: Json) -> Json:
    return {"jsonrpc": "2.0", "id": message["id"], "result": result}


def _id(message: Json | list[Json]) -> str:
    return str(message.get("id")) if isinstance(message, dict) else ""


def _notification(method: str, params: Json) -> Json:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def _hello(params: Json) -> Json:
    return {
        "protocolVersion": params["protocolVersion"],
        "capabilities": {
            "tools": {},
            "logging": {},
            "prompts": {},
            "resources": {"subscribe": True},
            "completions": {},
        },
        "serverInfo": {"name": "busy", "version": "1.0"},
    }


def _tools(_: Json) -> Json:
    return {"tools": [{"name": TOOL, "description": "Works.", "inputSchema": {"type": "object"}}]}


def _prompts(_: Json) -> Json:
    return {"prompts": [{"name": PROMPT, "arguments": [{"name": "mark", "required": True}]}]}


def _prompt(params: Json) -> Json:
    mark = params["arguments"]["mark"]
    text = f"{mark} {filler(mark, 300)}"
    return {"messages": [{"role": "user", "content": {"type": "text", "text": text}}]}


def _resource(params: Json) -> Json:
    uri = params["uri"]
    if int(uri[-1]) % 2:
        blob = binary(uri, 3000)
        return {"contents": [{"uri": uri, "mimeType": "image/png", "blob": blob}]}
    text = f"{uri.removeprefix(FOLDER)} {filler(uri, 300)}"
    return {"contents": [{"uri": uri, "mimeType": "text/plain", "text": text}]}


RESULTS: dict[str, Callable[[Json], Json]] = {
    "initialize": _hello,
    "ping": lambda _: {},
    "logging/setLevel": lambda _: {},
    "tools/list": _tools,
    "prompts/list": _prompts,
    "prompts/get": _prompt,
    "resources/list": lambda _: {"resources": [{"uri": FOLDER + "first", "name": "first"}]},
    "resources/templates/list": lambda _: {
        "resourceTemplates": [{"uriTemplate": FOLDER + "{mark}", "name": "any"}]
    },
    "resources/read": _resource,
    "resources/unsubscribe": lambda _: {},
    "completion/complete": lambda params: {"completion": {"values": [params["argument"]["value"]]}},
    "busy/echo": lambda params: params,
}
"""The answer to a method, from its params."""

QUESTIONS: dict[str, Callable[[str], Json | None]] = {
    "sampling/createMessage": lambda text: {
        "messages": [{"role": "user", "content": {"type": "text", "text": text}}],
        "maxTokens": 10,
    },
    "elicitation/create": lambda text: {
        "message": text,
        "requestedSchema": {"type": "object", "properties": {"said": {"type": "string"}}},
    },
    "roots/list": lambda _: None,
}
"""The params of a request to the client, from a text."""


class Backend:
    """The conversation with one client; knows nothing of the transport."""

    def __init__(self) -> None:
        self._waiting: dict[str, Json] = {}
        self._cancelled: set[str] = set()
        self.held: set[str] = set()
        """Ids of the calls that are not answered."""

    def feed(self, message: Json) -> list[Json]:  # noqa: PLR0911  # one for each kind
        """Take one message; return what is said now."""
        identifier = message.get("id")
        if "method" not in message:
            call = self._waiting.pop(str(identifier), None)
            return [self._result(call)] if call is not None else []
        match message["method"]:
            case "tools/call":
                return self._call(message)
            case "resources/subscribe":
                updated = {"uri": f"{message['params']['uri']}-note-0"}
                return [
                    _notification("notifications/resources/updated", updated),
                    _answer(message, {}),
                ]
            case "notifications/cancelled":
                # The cancellation may overtake what it cancels.
                self._cancelled.add(str(message["params"]["requestId"]))
                self.held -= self._cancelled
                return []
            case _ if identifier is None:
                return []
            case method:
                result = RESULTS.get(method)
                if result is not None:
                    return [_answer(message, result(message.get("params") or {}))]
                error = {"code": -32601, "message": f"no method {method}"}
                return [{"jsonrpc": "2.0", "id": identifier, "error": error}]

    def _call(self, message: Json) -> list[Json]:
        arguments = message["params"]["arguments"]
        mark = arguments["mark"]
        if arguments.get("hold"):
            self.held |= {str(message["id"])} - self._cancelled
            return []
        said: list[Json] = []
        for number in range(arguments.get("notes", 0)):
            text = f"{mark}-note-{number} {filler(mark, 40)}"
            said.append(_notification("notifications/message", {"level": "info", "data": text}))
        token = message["params"].get("_meta", {}).get("progressToken")
        for number in range(arguments.get("steps", 0) if token is not None else 0):
            step = {"progressToken": token, "progress": number + 1}
            step["message"] = f"{mark}-step-{number}"
            said.append(_notification("notifications/progress", step))
        if ask := arguments.get("ask"):
            self._waiting[f"{mark}-ask"] = message
            question: Json = {"jsonrpc": "2.0", "id": f"{mark}-ask", "method": ask}
            params = QUESTIONS[ask](f"{mark}-ask {filler(mark, 100)}")
            said.append(question if params is None else {**question, "params": params})
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
        content = [{"type": "text", "text": text}]
        if kind := arguments.get("content"):
            secret = arguments.get("api_key", "")
            content.append(CONTENTS[kind](mark, secret, arguments["content_size"]))
        failed = arguments.get("outcome") == "tool_error"
        return {**head, "result": {"content": content, "isError": failed}}

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
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a real file
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


def serve_http(port: int) -> None:  # noqa: C901  # two functions in one
    """Serve streamable HTTP: JSON for one answer, an event stream for several."""
    backends: dict[str, Backend] = {}
    waiting: dict[str, asyncio.Queue[str]] = {}

    async def post(request: Request) -> Response:
        message = json.loads(await request.body())
        session = request.headers.get("mcp-session-id") or uuid4().hex
        backend = backends.setdefault(session, Backend())
        answers = backend.answer(json.dumps(message))
        if isinstance(message, dict) and "method" not in message:
            waiting.pop(session + _id(message)).put_nowait(answers[0])
            return Response(status_code=202)
        if isinstance(message, dict) and message["method"] == "notifications/cancelled":
            held = waiting.pop(session + str(message["params"]["requestId"]), None)
            if held is not None:
                held.put_nowait("")
        # What has to be over before the response is: a question to the client, or a held call.
        last = json.loads(answers[-1]) if answers else message
        is_open = "method" in last if answers else _id(message) in backend.held
        if not answers and not is_open:
            return Response(status_code=202)
        if len(answers) == 1 and not is_open:
            headers = {"mcp-session-id": session}
            return Response(answers[0], media_type="application/json", headers=headers)
        rest: asyncio.Queue[str] | None = asyncio.Queue() if is_open else None
        if rest is not None:
            waiting[session + _id(last)] = rest
        return StreamingResponse(events(answers, rest), media_type="text/event-stream")

    async def events(answers: list[str], rest: asyncio.Queue[str] | None) -> AsyncIterator[str]:
        for answer in answers:
            yield f"event: message\ndata: {answer}\n\n"
        if rest is not None and (text := await rest.get()):
            yield f"event: message\ndata: {text}\n\n"

    application = Starlette(routes=[Route("/mcp", post, methods=["POST"])])
    uvicorn.run(application, host="127.0.0.1", port=port, log_level="warning")


def serve_sse(port: int) -> None:
    """Serve the transport that streamable HTTP came after, with what the SDK has for it."""
    # Importing it takes longer than all other transports take to begin.
    from mcp.server.sse import SseServerTransport  # noqa: PLC0415  # brings much along
    from mcp.shared.message import SessionMessage  # noqa: PLC0415  # brings much along
    from mcp.types import JSONRPCMessage  # noqa: PLC0415  # brings much along

    transport = SseServerTransport("/messages/")

    async def connect(request: Request) -> Response:
        backend = Backend()
        streams = transport.connect_sse(request.scope, request.receive, request._send)  # noqa: SLF001  # as the SDK's manual has it
        async with streams as (read, write):
            async for item in read:
                if isinstance(item, Exception):
                    raise item
                message = item.message.model_dump(mode="json", by_alias=True, exclude_unset=True)
                for answer in backend.feed(message):
                    await write.send(SessionMessage(JSONRPCMessage.model_validate(answer)))
        return Response()

    routes = [Route("/sse", connect), Mount("/messages/", transport.handle_post_message)]
    uvicorn.run(Starlette(routes=routes), host="127.0.0.1", port=port, log_level="warning")


if __name__ == "__main__":
    match sys.argv[1]:
        case "stdio":
            serve_stdio()
        case "websocket":
            asyncio.run(serve_websocket(int(sys.argv[2])))
        case "http":
            serve_http(int(sys.argv[2]))
        case "sse":
            serve_sse(int(sys.argv[2]))
