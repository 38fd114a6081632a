"""Promises about what is left when a process dies of what it has just sent."""

import sys

import pytest

from tests.fix_programs import eventually, host_environment, instrumented, run
from tests.fix_telemetry import OtlpSink

# Each dies inside of the write or the send itself, when the peer has the message and the host has
# not come back from sending it: nothing that is done after it can help.
STDIO = """
import os, sys
def write_and_die(text):
    os.write(1, text.encode())
    os._exit(9)
sys.stdin.readline()
sys.stdout._self_lines.write(write_and_die, '{"jsonrpc":"2.0","id":1,"result":{}}\\n')
"""
WEBSOCKET = """
import asyncio, os, sys
import websockets.protocol
own = websockets.protocol.Protocol.send_frame
def send_frame(protocol, frame):
    if frame.opcode == 1:
        os.write(1, frame.data)
        os._exit(9)
    own(protocol, frame)
websockets.protocol.Protocol.send_frame = send_frame
from websockets.asyncio.client import connect
from websockets.asyncio.server import serve
async def wait(connection):
    await connection.wait_closed()
async def main():
    async with serve(wait, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"ws://127.0.0.1:{port}") as connection:
            await connection.send('{"jsonrpc":"2.0","id":1,"result":{}}')
asyncio.run(main())
"""
HTTPX = """
import httpx, os
def answer(request):
    os.write(1, request.content)
    os._exit(9)
client = httpx.Client(transport=httpx.MockTransport(answer))
client.post("http://127.0.0.1:9", content=b'{"jsonrpc":"2.0","id":1,"method":"ping"}')
"""


@pytest.mark.parametrize("program", [STDIO, WEBSOCKET, HTTPX], ids=["stdio", "websocket", "httpx"])
def test_what_a_peer_has_seen_is_recorded_however_the_host_ends(
    otlp_sink: OtlpSink, program: str
) -> None:
    """A host that dies inside of sending has left the record of what it was sending."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    request = '{"jsonrpc":"2.0","id":1,"method":"ping"}\n'

    finished = run(instrumented("host", [sys.executable, "-c", program]), environment, request)

    assert finished.returncode == 9, finished.stderr
    seen = finished.stdout.strip()
    eventually(lambda: seen in [record.body.string_value for _, record in otlp_sink.records])


KILLER = """
import os, signal, subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdin.write(b'{"jsonrpc":"2.0","id":1,"method":"ping"}\\n')
child.stdin.flush()
print(child.stdout.readline().decode(), end="")
os.kill(child.pid, signal.SIGKILL)
child.wait()
"""
ANSWERER = """
import sys
for line in sys.stdin:
    print('{"jsonrpc":"2.0","id":1,"result":{}}', flush=True)
"""


def test_a_peer_that_kills_at_once_finds_message_and_span_recorded(otlp_sink: OtlpSink) -> None:
    """`kill -9` on receipt of the answer loses neither its record nor its call's span."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint)
    host = instrumented("host", [sys.executable, "-c", ANSWERER])

    finished = run([sys.executable, "-c", KILLER, *host], environment)

    assert finished.stdout == '{"jsonrpc":"2.0","id":1,"result":{}}\n'
    eventually(lambda: len(otlp_sink.records) == 2 and len(otlp_sink.spans) == 1)
