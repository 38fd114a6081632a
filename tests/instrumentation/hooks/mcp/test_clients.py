"""Promises about HTTP clients of the `mcp` SDK, 1.x and 2.x: what they say that they were told."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from relayscope.conventions.attributes import ERROR_OTHER_CONTENT, ERROR_TYPE, MCP_METHOD_NAME
from relayscope.conventions.events import EVENT_SEND_FAILED
from tests.fix_http import Responding, serving
from tests.fix_programs import PROGRAMS, SCRIPTS, eventually, host_environment, run
from tests.fix_telemetry import OtlpSink

MCP2: Final = Path(__file__).parents[4] / ".venv-mcp2" / "bin"
REFUSAL: Final = '{"jsonrpc":"2.0", "id":null, "error":{"code":-32600,"message":"not here"}}'

EXPIRED: Final = '{"error":"invalid_token","error_description":"The access token expired"}'
INITIALIZED: Final = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "expiring", "version": "1"},
}

CLIENTS: Final = {
    "mcp1": (SCRIPTS, ["client.py", "[]", "--http"]),
    "mcp1, sse": (SCRIPTS, ["client.py", "[]", "--sse"]),
    "mcp2": (MCP2, ["sdk2_client.py"]),
}


class Refusing(Responding):
    """Refuses whatever is asked or posted, with the status that the path begins with."""

    def do_POST(self) -> None:  # noqa: N802  # as the library calls it
        """Refuse."""
        self.rfile.read(int(self.headers["content-length"]))
        self.do_GET()

    def do_GET(self) -> None:  # noqa: N802  # as the library calls it
        """Refuse."""
        self.respond(int(self.path.split("/")[1]), "application/json", REFUSAL)


class Expiring(Refusing):
    """Lets a session begin, and then answers with what the path asks for."""

    def do_POST(self) -> None:  # noqa: N802  # as the library calls it
        """Answer."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        unknown: dict[str, object] = {"error": {"code": -32601, "message": "no such method"}}
        answers: dict[str, dict[str, object]] = {
            "initialize": {"result": INITIALIZED},
            "server/discover": unknown,
        }
        if asked["method"] in answers:
            answer = {"jsonrpc": "2.0", "id": asked["id"], **answers[asked["method"]]}
            self.respond(200, "application/json", json.dumps(answer))
        elif self.path.startswith("/page") and "id" in asked:
            self.respond(200, "text/html", "<p>Please log in</p>")
        elif self.path.startswith("/page"):
            self.respond(202, "text/plain", "")
        else:
            self.respond(401, "application/json", EXPIRED)


@pytest.fixture
def expiring() -> Iterator[str]:
    """The address of a server whose tokens expire at once."""
    with serving(Expiring) as url:
        yield url


@pytest.fixture
def refusing() -> Iterator[str]:
    """The address of a server that refuses everything."""
    with serving(Refusing) as url:
        yield url


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


@pytest.mark.parametrize("client", ["mcp1", "mcp2"])
def test_a_notification_that_is_refused_is_told(
    expiring: str, otlp_sink: OtlpSink, client: str
) -> None:
    """The SDK tells nobody, and the notification's span was over when it was sent."""
    fails(client, f"{expiring}/401/mcp", otlp_sink)
    eventually(lambda: EVENT_SEND_FAILED in {one.event_name for _, one in otlp_sink.events})
    # SDK 1.x then closes its stream, so that what the session sends next is not sent.
    told = next(one for _, one in otlp_sink.events if one.event_name == EVENT_SEND_FAILED)
    attributes = {item.key: item.value.string_value for item in told.attributes}
    assert attributes[MCP_METHOD_NAME] == "notifications/initialized"
    assert attributes[ERROR_TYPE] == "401"
    assert "refused: http 127.0.0.1" in told.body.string_value
    eventually(lambda: "notifications/initialized" in errors(otlp_sink))
    its_span = next(one for _, one in otlp_sink.spans if one.name == "notifications/initialized")
    assert told.span_id == its_span.span_id


@pytest.mark.parametrize(
    ("way", "error_type", "said"),
    [
        ("401", "401", f"the response had the HTTP status 401: {EXPIRED}"),
        ("page", ERROR_OTHER_CONTENT, "the response was text/html"),
    ],
)
def test_what_the_sdk_read_in_place_of_an_answer_is_the_calls_error(
    expiring: str, otlp_sink: OtlpSink, way: str, error_type: str, said: str
) -> None:
    """As far as it read it: the page it left alone."""
    fails("mcp2", f"{expiring}/{way}/mcp", otlp_sink)
    eventually(lambda: error_type in errors(otlp_sink).values())
    [failed] = [one for _, one in otlp_sink.spans if errors(otlp_sink)[one.name] == error_type]
    assert failed.status.message == said
