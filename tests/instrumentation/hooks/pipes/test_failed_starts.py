"""Promises about children that do not start: a backend's command is wrong."""

import subprocess
import sys
from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from relayscope.conventions.attributes import (
    ERROR_TYPE,
    NETWORK_TRANSPORT,
    PEER,
    PROCESS_COMMAND_LINE,
)
from relayscope.instrumentation.hooks.pipes.subprocesses import SubprocessInstrumentor
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_programs import eventually, host_environment, instrumented, run
from tests.fix_telemetry import OtlpSink, Telemetry

CALL = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search"}}'

POPEN = """
import subprocess, sys
subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
"""
ASYNCIO = """
import asyncio, sys
async def main():
    pipe = asyncio.subprocess.PIPE
    await asyncio.create_subprocess_exec(*sys.argv[1:], stdin=pipe, stdout=pipe)
asyncio.run(main())
"""
ANYIO = """
import anyio, sys
async def main():
    await anyio.open_process(sys.argv[1:])
anyio.run(main)
"""
MCP = """
import anyio, sys
from mcp import StdioServerParameters
from mcp.client.stdio import stdio_client
async def main():
    async with stdio_client(StdioServerParameters(command=sys.argv[1], args=sys.argv[2:])):
        pass
anyio.run(main)
"""
PARENTS = {"Popen": POPEN, "asyncio": ASYNCIO, "anyio": ANYIO, "mcp": MCP}

# Nothing of it is recorded: none of these could have been a backend.
PROBES = """
import subprocess, sys
for how in {}, {"stdout": subprocess.PIPE}, {"stdin": subprocess.PIPE}:
    try:
        subprocess.Popen(["/nowhere/git", "--version"], **how)
    except FileNotFoundError:
        pass
"""


def attributes(span: Span) -> dict[str, str]:
    """The attributes of a span that are text."""
    return {item.key: item.value.string_value for item in span.attributes}


@pytest.mark.parametrize("parent", PARENTS)
def test_a_child_that_does_not_start_is_told_once(otlp_sink: OtlpSink, parent: str) -> None:
    """However it was to be started: with its command and the reason; the host gets its own."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    command = ["/nowhere/npx", "-y", "@acme/files"]
    program = [sys.executable, "-c", PROBES + PARENTS[parent], *command]

    bare = run(program, environment)
    traced = run(instrumented("relay", program), environment)

    assert bare.returncode == traced.returncode == 1
    assert bare.stderr.splitlines()[-1] == traced.stderr.splitlines()[-1]
    eventually(lambda: otlp_sink.spans)
    ((_, span),) = otlp_sink.spans
    assert (span.name, span.kind) == ("connect", Span.SPAN_KIND_CLIENT)
    assert span.status.message == "[Errno 2] No such file or directory: '/nowhere/npx'"
    told = attributes(span)
    assert told[ERROR_TYPE] == "FileNotFoundError"
    assert told[PEER] == "npx @acme/files"
    assert told[NETWORK_TRANSPORT] == "pipe"
    assert told[PROCESS_COMMAND_LINE] == "/nowhere/npx -y @acme/files"


def test_a_child_that_does_not_start_is_told_where_it_was_needed(
    telemetry: Telemetry, tmp_path: Path
) -> None:
    """In the trace of the request that is worked for, without what is secret in its command."""
    command = tmp_path / "server"
    command.touch()
    instrumentor = SubprocessInstrumentor()
    instrumentor.instrument(exchange=telemetry.exchange)
    try:
        text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("client")
        text_exchange.received(channel, CALL)
        pipe = subprocess.PIPE
        with pytest.raises(PermissionError):
            subprocess.Popen([command, "--db", "mysql://bob:hunter2@db"], stdin=pipe, stdout=pipe)
        text_exchange.closed(channel)
    finally:
        instrumentor.uninstrument()

    span, request = telemetry.span("connect"), telemetry.span("tools/call search")
    assert span.parent is not None
    assert request.context is not None
    assert span.parent.span_id == request.context.span_id
    assert span.attributes is not None
    assert span.attributes[ERROR_TYPE] == "PermissionError"
    assert "hunter2" not in str(span.attributes)
