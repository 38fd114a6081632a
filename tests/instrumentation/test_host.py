"""Promises to the host: with relayscope or without, it does the same."""

import json
import socket
import sys
from collections.abc import Iterator

import pytest

from tests.fix_programs import (
    Background,
    Run,
    host_environment,
    instrumented,
    line,
    python,
    run,
)


@pytest.fixture
def nobody() -> Iterator[str]:
    """An endpoint on which nothing listens."""
    with socket.socket() as held:
        # Bound but not listening: connections are refused, and nobody else can take the port.
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


def test_without_a_collector_a_relay_answers_as_without_relayscope(
    background: Background, nobody: str
) -> None:
    """Same answers, same exit code, and not a byte more or less on stdout."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=nobody)
    port = background.websocket_backend("dewey", environment, wrap=instrumented("dewey", []))
    relay = python("websocket_relay.py", f"dewey=ws://127.0.0.1:{port}", "gates=ws://127.0.0.1:1")
    conversation = "".join(
        [
            line(id=1, method="initialize", params={}),
            line(method="notifications/initialized"),
            line(id=2, method="tools/list"),
            line(id=3, method="tools/call", params={"name": "dewey_search", "arguments": {}}),
            line(id="four", method="tools/call", params={"name": "unknown", "arguments": {}}),
            line(id=5, method="no/such/method"),
        ]
    )

    plain = run(relay, host_environment(), conversation)
    traced = run(instrumented("relay", relay), environment, conversation)

    assert len(plain.stdout.splitlines()) == 5
    assert (traced.returncode, traced.stdout) == (plain.returncode, plain.stdout)


def test_without_a_collector_a_client_and_server_of_the_sdk_work_on(nobody: str) -> None:
    """A session of the `mcp` SDK with everything instrumented gives the plain session's answers."""
    server = python("sdk_server.py")

    def session(*, traced: bool) -> Run:
        client = python("client.py", json.dumps([["add", {"a": 1, "b": 2}]]), "--stdio")
        if not traced:
            return run([*client, *server], host_environment())
        environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=nobody)
        return run(instrumented("client", [*client, *instrumented("s", server)]), environment)

    plain, traced = session(traced=False), session(traced=True)

    assert json.loads(plain.stdout)["answers"] == ["3"]
    assert (traced.returncode, traced.stdout) == (plain.returncode, plain.stdout)


@pytest.mark.parametrize("code", [0, 3])
def test_the_exit_code_is_the_hosts_own(code: int, nobody: str) -> None:
    """The parent sees the code that the host exits with."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=nobody)
    program = [sys.executable, "-c", f"import sys; print('out'); sys.exit({code})"]

    finished = run(instrumented("host", program), environment)

    assert (finished.returncode, finished.stdout) == (code, "out\n")
