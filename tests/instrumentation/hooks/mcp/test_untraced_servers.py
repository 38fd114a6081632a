"""Promises about servers that are not traced, over HTTP with the `mcp` SDK, 1.x and 2.x."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from tests.fix_http import Responding, serving
from tests.fix_programs import PROGRAMS, SCRIPTS, eventually, host_environment, run
from tests.fix_telemetry import OtlpSink

# One of the environments is not there where `make test-fast` is the first thing that is run.
pytestmark = pytest.mark.processes

MCP2: Final = Path(__file__).parents[4] / ".venv-mcp2" / "bin"
INITIALIZED: Final = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "telling", "version": "1"},
}
TOLD: Final = {
    "jsonrpc": "2.0",
    "method": "notifications/message",
    "params": {"level": "info", "data": "at work"},
}


class Telling(Responding):
    """Tells in the response to each call that it is at work, as servers in any language do."""

    def do_POST(self) -> None:  # noqa: N802  # as the library calls it
        """Answer."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        answers: dict[str, Any] = {
            "initialize": {"result": INITIALIZED},
            "server/discover": {"error": {"code": -32601, "message": "no such method"}},
            "tools/list": {"result": {"tools": []}},
            "tools/call": {"result": {"content": [{"type": "text", "text": "3"}]}},
        }
        if asked["method"] not in answers:
            return self.respond(202, "application/json", "")
        answer = {"jsonrpc": "2.0", "id": asked["id"], **answers[asked["method"]]}
        told = [TOLD] if asked["method"] == "tools/call" else []
        events = (f"event: message\ndata: {json.dumps(each)}\n\n" for each in [*told, answer])
        return self.respond(200, "text/event-stream", "".join(events))

    def do_GET(self) -> None:  # noqa: N802  # as the library calls it
        """Have nothing to say unasked."""
        self.respond(405, "text/plain", "")


@pytest.fixture
def telling() -> Iterator[str]:
    """The address of such a server."""
    with serving(Telling) as url:
        yield f"{url}/mcp"


@pytest.mark.parametrize(
    ("binaries", "program", "calls"),
    [
        (SCRIPTS, ["client.py", '[["add", {"a": 1, "b": 2}]]', "--http"], 1),
        (MCP2, ["sdk2_client.py"], 2),
    ],
    ids=["mcp1", "mcp2"],
)
def test_what_a_response_tells_is_in_the_trace_of_its_call(
    otlp_sink: OtlpSink, telling: str, binaries: Path, program: list[str], calls: int
) -> None:
    """A server that knows nothing of traces carries none; its response belongs to the call."""
    name, *arguments = program
    command = [str(binaries / "relayscope-instrument"), "--service-name", "client", "--"]
    command += [str(binaries / "python"), str(PROGRAMS / name), *arguments, telling]
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)

    finished = run(command, environment)

    assert "3" in finished.stdout, finished.stderr

    def told() -> list[Any]:
        """The spans of what was told."""
        return [span for _, span in otlp_sink.spans if span.name == "notifications/message"]

    def names() -> list[str]:
        """The names of all spans."""
        return [span.name for _, span in otlp_sink.spans]

    eventually(lambda: len(told()) == calls == len([one for one in names() if "add" in one]))
    spans = {span.span_id: span for _, span in otlp_sink.spans}
    parents = [spans[one.parent_span_id] for one in told()]
    assert [parent.name for parent in parents] == ["tools/call add"] * calls
    assert [parent.trace_id for parent in parents] == [one.trace_id for one in told()]
