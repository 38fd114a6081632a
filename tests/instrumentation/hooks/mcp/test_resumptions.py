"""Promises about requests that a client of the `mcp` SDK resumes instead of sending them again."""

import anyio
import httpx
from mcp import ClientSession
from mcp.client import streamable_http
from mcp.shared.message import ClientMessageMetadata
from mcp.types import CallToolRequest, CallToolRequestParams, CallToolResult, ClientRequest

from relayscope.conventions.attributes import MESSAGE_DIRECTION, MESSAGE_ODD
from tests.fix_http import Responding, serving
from tests.fix_telemetry import Telemetry

ANSWER = '{"jsonrpc":"2.0","id":7,"result":{"content":[{"type":"text","text":"done"}]}}'
asked: list[tuple[str, str | None]] = []


class Server(Responding):
    """Has the rest of one response, which answers the request 7 of a session before."""

    def do_GET(self) -> None:  # noqa: N802  # the name http.server looks for
        """Answer with what was missed."""
        asked.append(("GET", self.headers.get("last-event-id")))
        self.respond(200, "text/event-stream", f"event: message\nid: e2\ndata: {ANSWER}\n\n")

    def do_POST(self) -> None:  # noqa: N802  # the name http.server looks for
        """Take nothing."""
        asked.append(("POST", None))
        self.respond(500, "text/plain", "")


def test_a_request_that_is_resumed_is_a_call_and_not_said_to_be_sent(watched: Telemetry) -> None:
    """The client asks with a GET for what it has missed; the answer has the old request's id."""
    asked.clear()
    with serving(Server) as address:
        text = anyio.run(_resume, f"{address}/mcp")

    assert text == "done"
    assert asked == [("GET", "e1")]
    (record,) = watched.records
    attributes = record.log_record.attributes or {}
    assert record.log_record.body == ANSWER
    assert attributes[MESSAGE_DIRECTION] == "received"
    assert MESSAGE_ODD not in attributes
    (call,) = watched.spans
    assert call.name == "tools/call slow"
    assert call.status.is_unset


async def _resume(url: str) -> str:
    """Ask with a resumption token, and return the answer."""
    parameters = CallToolRequestParams(name="slow", arguments={})
    request = ClientRequest(CallToolRequest(method="tools/call", params=parameters))
    metadata = ClientMessageMetadata(resumption_token="e1")
    async with (
        httpx.AsyncClient(headers={"mcp-session-id": "s"}) as http,
        streamable_http.streamable_http_client(url, http_client=http, terminate_on_close=False) as (
            read,
            write,
            _,
        ),
        ClientSession(read, write) as session,
    ):
        result = await session.send_request(request, CallToolResult, metadata=metadata)
    return str(getattr(result.content[0], "text", None))
