"""A hand-written MCP backend on a WebSocket, with the manners of one found in the field.

usage: websocket_backend.py MANNERS PORT

Each of MANNERS behaves on the wire as one real backend did: what it says in `initialize`, and how
it (wrongly) answers `notifications/initialized`. It knows nothing of relayscope.
"""

import asyncio
import json
import sys
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.server import ServerConnection, serve

Json = dict[str, Any]


@dataclass(frozen=True)
class Manners:
    """Manners of a backend, some of them against the specification.

    Attributes:
        tool: The name of its tool.
        initialize_result: Its result of `initialize`.
        answer_to_notification: Its (wrong) answer to `notifications/initialized`.
        unprompted: A notification that it sends after `initialize`, which only clients may.
        failure: The result of a tool that fails.
        error: Its error for an unknown method.
        members: The order of the members of its answers.
        is_slow: True if it refuses the first `tools/list`.
        takes_tool_as_method: True if a request whose method is the tool's name calls the tool.
    """

    tool: str
    initialize_result: Json
    answer_to_notification: Json | None = None
    unprompted: Json | None = None
    failure: Json = field(default_factory=lambda: _text("it failed") | {"isError": True})
    error: Json = field(default_factory=lambda: {"code": -32601, "message": "Method not found"})
    members: tuple[str, ...] = ("jsonrpc", "result", "error", "id")
    is_slow: bool = False
    takes_tool_as_method: bool = False


def _text(text: str) -> Json:
    return {"content": [{"type": "text", "text": text}]}


def _correct(name: str) -> Json:
    return {
        "protocolVersion": "2024-11-05",
        "capabilities": {"tools": {}},
        "serverInfo": {"name": name, "version": "1.0"},
    }


_UNKNOWN: Json = {"code": -32601, "message": "Method not found"}
_TRACEBACK: Json = {"data": {"traceback": "Traceback (most recent call last): server.py"}}
_INTERNAL: Json = {"code": -32603, "message": "Unknown method"}

MANNERS = {
    "correct": Manners(tool="correct_tool", initialize_result=_correct("correct")),
    # Answers a notification with an error that has no id at all; has one code for all errors.
    "gates": Manners(
        tool="gates_create_document",
        initialize_result=_correct("gates"),
        answer_to_notification={"error": _INTERNAL},
        error=_INTERNAL,
        members=("jsonrpc", "id", "result", "error"),
    ),
    # Answers a notification with an error whose id is null; takes the name of a tool for a method.
    "dewey": Manners(
        tool="dewey_search",
        initialize_result=_correct("dewey-mcp-server"),
        answer_to_notification={"error": _UNKNOWN, "id": None},
        takes_tool_as_method=True,
    ),
    # The same; and does not say of a failure that it is one.
    "fiedler": Manners(
        tool="fiedler_send",
        initialize_result=_correct("fiedler"),
        answer_to_notification={"error": _UNKNOWN, "id": None},
        failure=_text("it failed"),
    ),
    # Leaves out protocolVersion and serverInfo, and has its capabilities in a list; says of a
    # failure that it is one inside the text.
    "playfair": Manners(
        tool="playfair_diagram",
        initialize_result={"capabilities": ["tools"]},
        answer_to_notification={"error": _UNKNOWN},
        failure=_text('{"error": true, "message": "it failed"}'),
    ),
    # Sends a notification that only clients may send, and refuses requests until it is ready.
    "marco": Manners(
        tool="marco_goto",
        initialize_result=_correct("marco"),
        unprompted={"method": "notifications/initialized"},
        is_slow=True,
    ),
    # Correct, but they tell strangers where their code is.
    "godot": Manners(
        tool="godot_logger_set_level",
        initialize_result=_correct("godot"),
        error=_UNKNOWN | _TRACEBACK,
    ),
    "horace": Manners(
        tool="horace_register",
        initialize_result=_correct("horace"),
        error=_UNKNOWN | _TRACEBACK,
    ),
}


class Connection:
    """Answers to one client."""

    def __init__(self, manners: Manners) -> None:
        self._manners = manners
        self._is_ready = not manners.is_slow

    def replies(self, request: Json) -> list[Json]:
        """Return what is sent in reply to one message."""
        manners = self._manners
        answer = {"jsonrpc": "2.0", "id": request.get("id")}
        match request.get("method"):
            case "initialize":
                answer["result"] = manners.initialize_result
                unprompted = manners.unprompted
                after = [] if unprompted is None else [{"jsonrpc": "2.0", **unprompted}]
                return [self._in_order(answer), *after]
            case "notifications/initialized":
                wrong = manners.answer_to_notification
                return [] if wrong is None else [{"jsonrpc": "2.0", **wrong}]
            case "tools/list" if not self._is_ready:
                self._is_ready = True
                answer["error"] = {"code": -32000, "message": "not ready"}
            case "tools/list":
                schema = {"type": "object"}
                answer["result"] = {"tools": [{"name": manners.tool, "inputSchema": schema}]}
            case "tools/call":
                arguments = request["params"].get("arguments", {})
                text = f"{manners.tool} was given {', '.join(sorted(arguments)) or 'nothing'}"
                answer["result"] = manners.failure if "fail" in arguments else _text(text)
            case manners.tool if manners.takes_tool_as_method:
                answer["result"] = _text(f"{manners.tool} was given nothing")
            case _:
                answer["error"] = manners.error
        return [self._in_order(answer)]

    def _in_order(self, answer: Json) -> Json:
        return {name: answer[name] for name in self._manners.members if name in answer}


async def main() -> None:
    """Serve until killed."""
    manners = MANNERS[sys.argv[1]]

    async def handle(connection: ServerConnection) -> None:
        client = Connection(manners)
        async for text in connection:
            for reply in client.replies(json.loads(text)):
                await connection.send(json.dumps(reply))

    async with serve(handle, "127.0.0.1", int(sys.argv[2])) as server:
        port = server.sockets[0].getsockname()[1]
        print(f"listening on {port}", flush=True)
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
