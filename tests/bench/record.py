"""The record of the budgets: 8 attributes, 2 of them integers, and a JSON-RPC body of 420 bytes."""

import json
from typing import Any, Final

from relayscope.sanitizer import Value

ATTRIBUTES: Final[dict[str, Value]] = {
    "relayscope.message.direction": "received",
    "relayscope.message.kind": "request",
    "relayscope.message.size": 420,
    "relayscope.channel.id": "a1b2c3d4e5f6",
    "relayscope.channel.sequence": 12345,
    "relayscope.peer": "127.0.0.1:9051",
    "mcp.method.name": "tools/call",
    "jsonrpc.request.id": "7",
}
_ARGUMENTS: Final = {
    "timezone": "Europe/Berlin",
    "format": "iso8601",
    "note": "what time is it in the place where the meeting of the next week will be held, given"
    " the summer time rules",
}
_META: Final = {
    "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "clientInfo": {"name": "x"},
}


def _request(arguments: dict[str, Any], meta: dict[str, Any]) -> str:
    params = {"name": "get_current_time", "arguments": arguments, "_meta": meta}
    message = {"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": params}
    return json.dumps(message, separators=(",", ":"))


PLAIN: Final = _request(_ARGUMENTS, _META)
RESULT: Final = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 7,
        "result": {
            "content": [{"type": "text", "text": json.dumps(_ARGUMENTS)}],
            "isError": False,
            "_meta": _META,
        },
    },
    separators=(",", ":"),
)
"""The answer to it, of about the same size."""

BODIES: Final = {
    "no secret": PLAIN,
    "no secret, progressToken": _request(_ARGUMENTS, {"progressToken": 7, **_META}),
    "no secret, JSON in a string": _request({**_ARGUMENTS, "note": json.dumps(_META)}, {}),
    "a sensitive name": _request({**_ARGUMENTS, "api_key": "abc"}, _META),
    "a secret by its looks": PLAIN.replace(
        "iso8601", "ghp_" + "16C7e42F292c6912E7710c838347Ae178B4a"
    ),
    "password=... in a string": PLAIN.replace("what time", "password=abc"),
}
