"""Promises about HTTP servers of the `mcp` SDK, 1.x and 2.x: one message, one record."""

import json
import socket
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

from relayscope.conventions.attributes import (
    CHANNEL_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_ODD,
)
from relayscope.conventions.events import EVENT_SEND_FAILED
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

    def leave_with(self, text: str) -> None:
        """Post a text and the end of the session at once, on connections that are open."""
        url = httpx.URL(self._url)
        session = self._client.headers.pop("mcp-session-id")
        requests = [
            f"{verb} {url.path} HTTP/1.1\r\nHost: {url.netloc.decode()}\r\nConnection: close\r\n"
            f"Accept: {ACCEPT['accept']}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nMCP-Session-Id: {session}\r\n"
            f"MCP-Protocol-Version: 2025-06-18\r\n\r\n{body}"
            for verb, body in (("POST", text), ("DELETE", ""))
        ]
        with ExitStack() as stack:
            address = (url.host, url.port or 80)
            sockets = [stack.enter_context(socket.create_connection(address)) for _ in requests]
            # Both are accepted before either is asked for anything.
            time.sleep(0.01)
            for each, request in zip(sockets, requests, strict=True):
                each.sendall(request.encode())
            answers = [each.makefile("rb").read() for each in sockets]
        if b" 202 " in answers[0].splitlines()[0]:
            self.wire["received", text] += 1

    def leave_after(self, seconds: float, identifier: int, method: str, **params: Any) -> None:
        """Post one message, and wait no longer than this for its answer."""
        self._client.timeout = httpx.Timeout(seconds)
        self.say(identifier, method, **params)

    def change_session(self, identifier: str) -> None:
        """Say from now on that the session is another one."""
        self._client.headers["mcp-session-id"] = identifier


def dropped(sink: OtlpSink) -> list[str]:
    """Return the methods of what is said not to have been sent."""
    return [
        item.value.string_value
        for _, record in sink.events
        if record.event_name == EVENT_SEND_FAILED
        for item in record.attributes
        if item.key == MCP_METHOD_NAME
    ]


def records(sink: OtlpSink) -> Counter[tuple[str, str]]:
    """Count the server's records by direction and text."""
    found: Counter[tuple[str, str]] = Counter()
    for _, record in sink.records:
        attributes = {item.key: item.value.string_value for item in record.attributes}
        found[attributes[MESSAGE_DIRECTION], record.body.string_value] += 1
    return found


def received(texts: Counter[tuple[str, str]]) -> Counter[tuple[str, str]]:
    """Those that the server received."""
    return Counter({found: count for found, count in texts.items() if found[0] == "received"})


def serving(sink: OtlpSink, background: Background, binaries: Path, *arguments: str) -> Client:
    """Return a client of a traced server of the SDK that is in an environment."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
    port = free_port()
    launcher = [str(binaries / "relayscope-instrument"), "--service-name", "server", "--"]
    program = [str(binaries / "python"), str(PROGRAMS / "reading_server.py")]
    reader, *others = arguments
    background.server([*launcher, *program, reader, str(port), *others], environment, port)
    return Client(f"http://127.0.0.1:{port}/mcp")


@pytest.fixture(
    params=product((SCRIPTS, MCP2), ("request", "events", "none")),
    ids=lambda param: f"{'mcp2' if param[0] == MCP2 else 'mcp1'}-{param[1]}",
)
def client(request: pytest.FixtureRequest, otlp_sink: OtlpSink, background: Background) -> Any:
    """A client of a traced server, behind a middleware that reads the body or behind none."""
    binaries, reader = request.param
    with serving(otlp_sink, background, binaries, reader) as client:
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
    """A session that is gone, what is not acceptable, however it is asked for, and no message.

    Only what is no message is odd: a refusal refuses what it responds to, a stream too.
    """
    client.post('{"jsonrpc": "2.0", "id": 1, "method"')
    client.shake_hands()
    client.post('{"jsonrpc": "2.0", "id": 2, \'method\': "tools/list"}')
    client.post("no JSON at all \N{SNOWMAN}")
    client.say(2, "initialize", protocolVersion=1)
    client.post('[{"jsonrpc": "2.0", "id": 4, "method": "ping"}]')
    client.ask("GET", headers={"accept": "application/json"})
    client.change_session("gone")
    client.say(3, "tools/list")
    assert client.ask("GET") >= 400
    assert client.ask("DELETE") >= 400

    eventually(lambda: records(otlp_sink).total() >= client.wire.total())
    assert records(otlp_sink) == client.wire
    marks = [
        item.value.string_value
        for _, record in otlp_sink.records
        for item in record.attributes
        if item.key == MESSAGE_ODD
    ]
    # The session of what was no message may end just when the next request of it is refused.
    assert [mark for mark in marks if mark != "late_answer"] == ["unparsable"] * 3


@pytest.mark.parametrize("answers", ["json", "events"])
@pytest.mark.parametrize("binaries", [SCRIPTS, MCP2], ids=["mcp1", "mcp2"])
def test_what_no_response_has_room_for_is_said_not_to_be_sent(
    otlp_sink: OtlpSink, background: Background, binaries: Path, answers: str
) -> None:
    """The SDK drops it silently: what belongs to a request that JSON answers, or to no stream."""
    with serving(otlp_sink, background, binaries, "none", answers) as client:
        client.shake_hands()
        client.say(2, "tools/call", name="tell", arguments={}, _meta={"progressToken": 1})

    eventually(lambda: len(otlp_sink.spans) >= 3)
    eventually(lambda: not client.wire - records(otlp_sink))
    eventually(lambda: len(dropped(otlp_sink)) == len(records(otlp_sink) - client.wire))
    told = ["notifications/progress"] if answers == "json" else []
    assert sorted(dropped(otlp_sink)) == [*told, "notifications/tools/list_changed"]


@pytest.mark.parametrize("binaries", [SCRIPTS, MCP2], ids=["mcp1", "mcp2"])
def test_what_was_accepted_for_a_session_that_ends_is_recorded(
    otlp_sink: OtlpSink, background: Background, binaries: Path
) -> None:
    """Clients send a notification and the end of their session at once; 202 answers the first."""
    with serving(otlp_sink, background, binaries, "none") as client:
        for _ in range(10):
            client.shake_hands()
            client.leave_with('{"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}')

    eventually(lambda: not client.wire - records(otlp_sink))
    assert records(otlp_sink) == client.wire


@pytest.mark.parametrize("answers", [[], ["json"]], ids=["events", "json"])
@pytest.mark.parametrize("binaries", [SCRIPTS, MCP2], ids=["mcp1", "mcp2"])
def test_a_request_whose_session_ends_meanwhile_is_recorded_once(
    otlp_sink: OtlpSink, background: Background, binaries: Path, answers: list[str]
) -> None:
    """The SDK refuses what it has not answered when the session ends: that is no other request."""
    with serving(otlp_sink, background, binaries, "none", *answers) as client:
        client.shake_hands()
        with ThreadPoolExecutor() as threads:
            waiting = threads.submit(client.say, 2, "tools/call", name="wait", arguments={})
            eventually(lambda: len(records(otlp_sink)) == 4)
            client.ask("DELETE")
            waiting.result()

    eventually(lambda: not client.wire - records(otlp_sink))
    assert received(records(otlp_sink)) == received(client.wire)
