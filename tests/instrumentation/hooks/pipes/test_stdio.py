"""Promises about the hook for stdin and stdout over asyncio streams."""

import json
import sys

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from relayscope.conventions.attributes import ERROR_TYPE, ERROR_UNANSWERED
from tests.fix_programs import eventually, host_environment, instrumented, line, run
from tests.fix_telemetry import OtlpSink

# Reads lines as asyncio streams do, and writes each of the byte strings given as arguments with a
# write of its own.
PROGRAM = """
import asyncio, ast, sys
async def main():
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    transport, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, sys.stdout)
    writer = asyncio.StreamWriter(transport, protocol, None, loop)
    async for line in reader:
        pass
    for data in ast.literal_eval(sys.argv[1]):
        writer.write(data) if isinstance(data, bytes) else writer.writelines(data)
        await writer.drain()
asyncio.run(main())
"""


def converse(sink: OtlpSink, stdin: str, writes: list[object]) -> str:
    """Run the program with this input and these writes; return its output."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=sink.endpoint)
    command = instrumented("host", [sys.executable, "-c", PROGRAM, repr(writes)])
    return run(command, environment, stdin).stdout


def bodies(sink: OtlpSink) -> list[str]:
    """Return the recorded texts."""
    return [record.body.string_value for _, record in sink.records]


def test_every_line_is_one_record_however_it_is_written(otlp_sink: OtlpSink) -> None:
    """Lines split over writes, several in one write, and `writelines` are each one message."""
    answers = [line(id=i, result={"text": "ü"}) for i in range(5)]
    data = [answer.encode() for answer in answers]
    requests = "".join(line(id=i, method="tools/call", params={"name": "t"}) for i in range(5))
    writes: list[object] = [data[0][:20], data[0][20:], data[1] + data[2], [data[3], data[4]]]

    output = converse(otlp_sink, requests, writes)

    assert output == "".join(answers)
    eventually(lambda: len(otlp_sink.records) == 10 and len(otlp_sink.spans) == 5)
    assert bodies(otlp_sink)[:5] == requests.splitlines()
    assert bodies(otlp_sink)[5:] == [answer.rstrip("\n") for answer in answers]


def test_a_request_to_the_client_carries_context(otlp_sink: OtlpSink) -> None:
    """A server that asks its client makes a CLIENT span and sends its context along."""
    request = line(id="s1", method="sampling/createMessage", params={})

    output = converse(otlp_sink, line(method="notifications/initialized"), [request.encode()])

    eventually(lambda: len(otlp_sink.spans) == 2)
    carried = json.loads(output)["params"]["_meta"]["traceparent"]
    (span,) = (span for _, span in otlp_sink.spans if span.kind == Span.SPAN_KIND_CLIENT)
    assert carried.split("-")[2] == span.span_id.hex()


def test_a_request_begun_in_an_earlier_write_is_not_changed(otlp_sink: OtlpSink) -> None:
    """A request of which a part has left cannot be changed any more, but it is recorded."""
    request = line(id="s1", method="sampling/createMessage", params={})

    output = converse(
        otlp_sink,
        line(method="notifications/initialized"),
        [request[:30].encode(), request[30:].encode()],
    )

    assert output == request
    eventually(lambda: len(otlp_sink.records) == 2)
    assert bodies(otlp_sink)[1] == request.rstrip("\n")


def test_an_unanswered_request_ends_when_stdin_closes(otlp_sink: OtlpSink) -> None:
    """The client is gone, so the call is over, and its span says that it was not answered."""
    converse(otlp_sink, line(id=1, method="tools/list"), [])

    eventually(lambda: len(otlp_sink.spans) == 1)
    (_, span) = otlp_sink.spans[0]
    attributes = {item.key: item.value.string_value for item in span.attributes}
    assert attributes[ERROR_TYPE] == ERROR_UNANSWERED


def test_unparsable_lines_pass_and_are_marked(otlp_sink: OtlpSink) -> None:
    """A line that is no JSON is passed on, and marked once the channel has spoken JSON-RPC."""
    writes: list[object] = [b"before\n", line(method="x").encode(), b"{broken\n"]

    output = converse(otlp_sink, "", writes)

    assert output == "before\n" + line(method="x") + "{broken\n"
    eventually(lambda: len(otlp_sink.records) == 2)
    assert bodies(otlp_sink) == [line(method="x").rstrip("\n"), "{broken"]
