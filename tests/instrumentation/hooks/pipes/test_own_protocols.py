"""Promises about asyncio protocols that a host has written itself, over pipes."""

import json
import sys

import pytest

from relayscope.conventions.environment import RELAYSCOPE_INSTRUMENT_CHILDREN
from tests.fix_programs import PROGRAMS, eventually, host_environment, instrumented, line, run
from tests.fix_telemetry import OtlpSink

CHILD = [sys.executable, str(PROGRAMS / "busy_backend.py"), "stdio"]
REQUESTS = [line(id=i, method="ping", params={}) for i in range(3)]

# Passes on what it reads, with another id, and answers what its child has answered.
RELAY = """
import asyncio, json, sys
class Child(asyncio.SubprocessProtocol):
    def __init__(self, relay): self.relay, self.rest = relay, b""
    def pipe_data_received(self, descriptor, data):
        *lines, self.rest = (self.rest + data).split(b"\\n")
        for line in lines:
            self.relay.answer(json.loads(line))
    def process_exited(self): self.relay.child_is_gone.set_result(None)
class Relay(asyncio.Protocol):
    def __init__(self):
        self.rest, self.child_is_gone = b"", asyncio.Future()
    def data_received(self, data):
        *lines, self.rest = (self.rest + data).split(b"\\n")
        for line in lines:
            message = json.loads(line)
            self.child.write(json.dumps(message | {"id": message["id"] + 100}).encode() + b"\\n")
    def answer(self, message):
        answer = json.dumps(message | {"id": message["id"] - 100}).encode()
        self.out.writelines([answer, b"\\n"])
    def connection_lost(self, error): self.child.close()
async def main():
    loop = asyncio.get_running_loop()
    relay = Relay()
    transport, _ = await loop.%(start)s
    relay.child = transport.get_pipe_transport(0)
    relay.out, _ = await loop.connect_write_pipe(asyncio.Protocol, sys.stdout)
    await loop.connect_read_pipe(lambda: relay, sys.stdin)
    await relay.child_is_gone
    print(transport.get_returncode(), file=sys.stderr)
    transport.close()
asyncio.run(main())
"""
STARTS = {
    "exec": f"subprocess_exec(lambda: Child(relay), *{CHILD}, stderr=None)",
    "shell": f"subprocess_shell(lambda: Child(relay), {' '.join(CHILD)!r}, stderr=None)",
}


def relay(start: str) -> list[str]:
    """Return the relay, which starts its child in this way."""
    return [sys.executable, "-c", RELAY % {"start": STARTS[start]}]


@pytest.mark.parametrize("start", STARTS)
def test_a_relay_with_protocols_of_its_own_is_seen_on_both_sides(
    otlp_sink: OtlpSink, start: str
) -> None:
    """Each call is one trace with its four legs, and the host does what it does untraced."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    environment[RELAYSCOPE_INSTRUMENT_CHILDREN] = "true"
    stdin = "".join(REQUESTS)

    bare = run(relay(start), environment, stdin)
    traced = run(instrumented("relay", relay(start)), environment, stdin)

    def messages(output: str) -> list[object]:
        return sorted((json.loads(each) for each in output.splitlines()), key=lambda m: m["id"])

    assert len(messages(bare.stdout)) == len(REQUESTS)
    assert messages(traced.stdout) == messages(bare.stdout)
    assert (traced.returncode, traced.stderr) == (bare.returncode, bare.stderr)
    eventually(lambda: len(otlp_sink.records) == 6 * len(REQUESTS))
    assert len({record.trace_id for _, record in otlp_sink.records}) == len(REQUESTS)
    eventually(lambda: len(otlp_sink.spans) == 3 * len(REQUESTS))
    by_id = {span.span_id: (name, span) for name, span in otlp_sink.spans}
    for name, span in otlp_sink.spans:
        if name == "busy_backend":
            _, sent = by_id[span.parent_span_id]
            received_by, _ = by_id[sent.parent_span_id]
            assert received_by == "relay"


def test_a_protocol_without_room_for_other_methods_works_as_ever(otlp_sink: OtlpSink) -> None:
    """Nothing that is said through it is seen, and that is no failure."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    program = """
import asyncio, sys
class Own:
    __slots__ = ("ended", "data")
    def __init__(self): self.ended, self.data = asyncio.Future(), b""
    def connection_made(self, transport): pass
    def data_received(self, data): self.data += data
    def eof_received(self): pass
    def connection_lost(self, error): self.ended.set_result(None)
async def main():
    _, own = await asyncio.get_running_loop().connect_read_pipe(Own, sys.stdin)
    await own.ended
    print(own.data)
asyncio.run(main())
"""
    command = [sys.executable, "-c", program]

    bare, traced = (
        run(whole, environment, "".join(REQUESTS))
        for whole in (command, instrumented("host", command))
    )

    assert bare.stdout
    assert (traced.stdout, traced.stderr) == (bare.stdout, "")
