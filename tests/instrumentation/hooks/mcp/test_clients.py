"""Promises about HTTP clients of the `mcp` SDK, 1.x and 2.x: what they say that they were told."""

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest

from relayscope.conventions.attributes import ERROR_TYPE
from relayscope.conventions.events import EVENT_SEND_FAILED
from tests.fix_programs import PROGRAMS, SCRIPTS, eventually, host_environment, run
from tests.fix_telemetry import OtlpSink

MCP2: Final = Path(__file__).parents[4] / ".venv-mcp2" / "bin"
REFUSAL: Final = '{"jsonrpc":"2.0", "id":null, "error":{"code":-32600,"message":"not here"}}'


CLIENTS: Final = {
    "mcp1": (SCRIPTS, ["client.py", "[]", "--http"]),
    "mcp1, sse": (SCRIPTS, ["client.py", "[]", "--sse"]),
    "mcp2": (MCP2, ["sdk2_client.py"]),
}


class Refusing(BaseHTTPRequestHandler):
    """Refuses whatever is asked or posted, with the status that the path begins with."""

    def do_POST(self) -> None:  # as the library calls it
        """Refuse."""
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def do_GET(self) -> None:  # as the library calls it
        """Refuse."""
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(REFUSAL)))
        self.end_headers()
        self.wfile.write(REFUSAL.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[str]:
    """The address of a server that refuses everything."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def nobody() -> Iterator[str]:
    """The address of nobody: bound, so that no other process is given it, and not listening."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{bound.getsockname()[1]}"


def fails(client: str, url: str, sink: OtlpSink) -> None:
    """Let a client fail to begin a session, and wait for what it records."""
    binaries, (name, *arguments) = CLIENTS[client]
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
    launcher = [str(binaries / "relayscope-instrument"), "--service-name", "client", "--"]
    command = [str(binaries / "python"), str(PROGRAMS / name), *arguments, url]
    assert run([*launcher, *command], environment).returncode != 0
    eventually(lambda: sink.spans)


def errors(sink: OtlpSink) -> dict[str, str]:
    """The error types of the spans, by their names."""
    return {
        span.name: next(
            (item.value.string_value for item in span.attributes if item.key == ERROR_TYPE), ""
        )
        for _, span in sink.spans
    }


@pytest.mark.parametrize(
    ("client", "received"), [("mcp1", set()), ("mcp2", {REFUSAL})], ids=["mcp1", "mcp2"]
)
def test_an_error_that_the_sdk_invents_is_not_recorded_as_received(
    refusing: str, otlp_sink: OtlpSink, client: str, received: set[str]
) -> None:
    """An answer on the wire is recorded if the SDK reads it; the call has failed either way."""
    fails(client, f"{refusing}/404/mcp", otlp_sink)
    eventually(lambda: otlp_sink.records)
    bodies = {
        record.body.string_value
        for _, record in otlp_sink.records
        if any(item.value.string_value == "received" for item in record.attributes)
    }
    assert bodies == received
    assert all(span.status.code == span.status.STATUS_CODE_ERROR for _, span in otlp_sink.spans)


@pytest.mark.parametrize("client", ["mcp1", "mcp2"])
def test_a_server_that_nobody_reaches_is_named_with_the_call_that_failed(
    nobody: str, otlp_sink: OtlpSink, client: str
) -> None:
    """The SDK says only that no answer came: the reason is that nobody listens there."""
    fails(client, f"{nobody}/mcp", otlp_sink)
    eventually(lambda: EVENT_SEND_FAILED in {one.event_name for _, one in otlp_sink.events})
    spans = {span.name: span for _, span in otlp_sink.spans}
    first = next(name for name in ("initialize", "server/discover") if name in spans)
    assert errors(otlp_sink)[first] == errors(otlp_sink)["connect"] == "ConnectError"
    assert spans["connect"].parent_span_id == spans[first].span_id


def test_a_stream_that_cannot_be_opened_is_a_connection_that_failed(
    nobody: str, refusing: str, otlp_sink: OtlpSink
) -> None:
    """An SSE client has sent nothing yet when it is refused."""
    fails("mcp1, sse", f"{nobody}/sse", otlp_sink)
    eventually(lambda: errors(otlp_sink) == {"connect": "ConnectError"})
    otlp_sink.spans.clear()
    fails("mcp1, sse", f"{refusing}/401/sse", otlp_sink)
    eventually(lambda: errors(otlp_sink) == {"connect": "HTTPStatusError"})


@pytest.mark.parametrize("status", ["401", "404", "500"])
def test_the_status_that_an_sdk_does_not_tell_is_the_calls_error(
    refusing: str, otlp_sink: OtlpSink, status: str
) -> None:
    """A refusal and a wrong path are told apart from an answer that never came."""
    fails("mcp1", f"{refusing}/{status}/mcp", otlp_sink)
    eventually(lambda: errors(otlp_sink).get("initialize") == status)
