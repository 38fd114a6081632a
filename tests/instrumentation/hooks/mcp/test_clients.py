"""Promises about HTTP clients of the `mcp` SDK, 1.x and 2.x: what they say that they were told."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final

import pytest

from tests.fix_programs import PROGRAMS, SCRIPTS, eventually, host_environment, run
from tests.fix_telemetry import OtlpSink

MCP2: Final = Path(__file__).parents[4] / ".venv-mcp2" / "bin"
REFUSAL: Final = '{"jsonrpc":"2.0", "id":null, "error":{"code":-32600,"message":"not here"}}'


class Refusing(BaseHTTPRequestHandler):
    """Refuses whatever is posted."""

    def do_POST(self) -> None:  # as the library calls it
        """Refuse."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(404)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(REFUSAL)))
        self.end_headers()
        self.wfile.write(REFUSAL.encode())

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def refusing() -> Iterator[str]:
    """The URL of a server that refuses everything."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/mcp"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("binaries", "program", "received"),
    [
        (SCRIPTS, ["client.py", "[]", "--http"], set()),
        (MCP2, ["sdk2_client.py"], {REFUSAL}),
    ],
    ids=["mcp1", "mcp2"],
)
def test_an_error_that_the_sdk_invents_is_not_recorded_as_received(
    refusing: str,
    otlp_sink: OtlpSink,
    binaries: Path,
    program: list[str],
    received: set[str],
) -> None:
    """An answer on the wire is recorded if the SDK reads it; the call has failed either way."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    launcher = [str(binaries / "relayscope-instrument"), "--service-name", "client", "--"]
    name, *arguments = program
    command = [str(binaries / "python"), str(PROGRAMS / name), *arguments, refusing]

    assert run([*launcher, *command], environment).returncode != 0

    eventually(lambda: otlp_sink.spans and otlp_sink.records)
    bodies = {
        record.body.string_value
        for _, record in otlp_sink.records
        if any(item.value.string_value == "received" for item in record.attributes)
    }
    assert bodies == received
    assert all(span.status.code == span.status.STATUS_CODE_ERROR for _, span in otlp_sink.spans)
