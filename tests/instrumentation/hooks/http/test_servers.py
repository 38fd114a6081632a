"""Promises about HTTP servers of the `mcp` SDK, 1.x and 2.x: one message, one record."""

import json
from collections import Counter
from itertools import product
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from relayscope.conventions.attributes import CHANNEL_ID, MESSAGE_DIRECTION
from tests.fidelity.wire_bytes import events
from tests.fix_programs import (
    PROGRAMS,
    SCRIPTS,
    Background,
    eventually,
    free_port,
    host_environment,
)
from tests.fix_telemetry import OtlpSink

MCP2 = Path(__file__).parents[4] / ".venv-mcp2" / "bin"
ACCEPT = {"accept": "application/json, text/event-stream"}


class Client:
    """Posts texts, and remembers all that crosses the wire."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(trust_env=False, headers=ACCEPT, timeout=60)
        self._url = url
        self.wire: Counter[tuple[str, str]] = Counter()
        """Direction, as the server sees it, and text."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def say(self, identifier: int | None, method: str, **params: Any) -> None:
        """Post one message."""
        message = {"jsonrpc": "2.0", "method": method, "params": params}
        self.post(json.dumps(message if identifier is None else message | {"id": identifier}))

    def post(self, text: str) -> None:
        """Post a text as JSON."""
        self.wire["received", text] += 1
        self.ask("POST", content=text, headers={"content-type": "application/json"})

    def ask(self, verb: str, **request: Any) -> int:
        """Make a request; return its status."""
        response = self._client.request(verb, self._url, **request)
        if session := response.headers.get("mcp-session-id"):
            self._client.headers["mcp-session-id"] = session
        content_type = response.headers.get("content-type", "")
        if "event-stream" in content_type:
            texts = [event.data for event in events(response.text.splitlines())]
        else:
            texts = [response.text] if "json" in content_type and response.content else []
        for text in texts:
            self.wire["sent", text] += 1
        return response.status_code

    def shake_hands(self) -> None:
        """Begin a session."""
        hello = {"capabilities": {}, "clientInfo": {"name": "client", "version": "1"}}
        self.say(1, "initialize", protocolVersion="2025-06-18", **hello)
        self.say(None, "notifications/initialized")

    def change_session(self, identifier: str) -> None:
        """Say from now on that the session is another one."""
        self._client.headers["mcp-session-id"] = identifier


def records(sink: OtlpSink) -> Counter[tuple[str, str]]:
    """Count the server's records by direction and text."""
    found: Counter[tuple[str, str]] = Counter()
    for _, record in sink.records:
        attributes = {item.key: item.value.string_value for item in record.attributes}
        found[attributes[MESSAGE_DIRECTION], record.body.string_value] += 1
    return found


@pytest.fixture(
    params=product((SCRIPTS, MCP2), ("request", "events", "none")),
    ids=lambda param: f"{'mcp2' if param[0] == MCP2 else 'mcp1'}-{param[1]}",
)
def client(request: pytest.FixtureRequest, otlp_sink: OtlpSink, background: Background) -> Any:
    """A client of a traced server, behind a middleware that reads the body or behind none."""
    binaries, reader = request.param
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    port = free_port()
    launcher = [str(binaries / "relayscope-instrument"), "--service-name", "server", "--"]
    program = [str(binaries / "python"), str(PROGRAMS / "reading_server.py"), reader, str(port)]
    background.server([*launcher, *program], environment, port)
    with Client(f"http://127.0.0.1:{port}/mcp") as client:
        yield client


def test_whoever_reads_a_request_first_there_is_one_record_of_it(
    client: Client, otlp_sink: OtlpSink
) -> None:
    """Each message on the wire is recorded once, on one channel, and each call has its answer."""
    client.shake_hands()
    client.say(2, "tools/list")
    client.say(3, "tools/call", name="add", arguments={"a": 1, "b": 2})

    eventually(lambda: records(otlp_sink).total() >= client.wire.total())
    eventually(lambda: len(otlp_sink.spans) >= 4)
    assert records(otlp_sink) == client.wire
    assert len(otlp_sink.spans) == 4
    assert not [span for _, span in otlp_sink.spans if span.status.code]
    channels = {
        item.value.string_value
        for _, record in otlp_sink.records
        for item in record.attributes
        if item.key == CHANNEL_ID
    }
    assert len(channels) == 1


def test_what_the_sdk_refuses_is_recorded_with_its_refusal(
    client: Client, otlp_sink: OtlpSink
) -> None:
    """A session that is gone, what is not acceptable, however it is asked for, and no message."""
    client.post('{"jsonrpc": "2.0", "id": 1, "method"')
    client.shake_hands()
    client.post('{"jsonrpc": "2.0", "id": 2, \'method\': "tools/list"}')
    client.post("no JSON at all \N{SNOWMAN}")
    client.say(2, "initialize", protocolVersion=1)
    client.ask("GET", headers={"accept": "application/json"})
    client.change_session("gone")
    client.say(3, "tools/list")
    assert client.ask("GET") >= 400
    assert client.ask("DELETE") >= 400

    eventually(lambda: records(otlp_sink).total() >= client.wire.total())
    assert records(otlp_sink) == client.wire
    unparsable = [
        record
        for _, record in otlp_sink.records
        if any(item.value.string_value == "unparsable" for item in record.attributes)
    ]
    assert len(unparsable) == 3
