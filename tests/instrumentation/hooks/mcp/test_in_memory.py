"""Promises about clients and servers in one process, which talk in memory: 1.x, 2.x, FastMCP."""

import sys
from collections import Counter, defaultdict
from pathlib import Path

import orjson
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from relayscope.conventions.attributes import MESSAGE_DIRECTION
from tests.fix_programs import PROGRAMS, eventually, host_environment, run
from tests.fix_telemetry import OtlpSink

# The second environment is not there where `make test-fast` is the first thing that is run.
pytestmark = pytest.mark.processes

_FIRST = Path(sys.executable).parent
_SECOND = Path(__file__).parents[4] / ".venv-mcp2" / "bin"

CALLS = {"tools/call add": 7, "tools/call sleep": 1}


@pytest.fixture(
    params=[(_FIRST, "sdk1"), (_FIRST, "fastmcp"), (_SECOND, "sdk2"), (_SECOND, "fastmcp")],
    ids=["mcp 1.x", "FastMCP 3", "mcp 2.x", "FastMCP 4"],
)
def told(request: pytest.FixtureRequest, otlp_sink: OtlpSink) -> tuple[str, str, OtlpSink]:
    """Output of the pair alone, its output when traced, and the telemetry of the latter."""
    binaries, kind = request.param
    assert binaries.is_dir(), "`make test` makes the environment that this test needs"
    program = [str(binaries / "python"), str(PROGRAMS / "memory_pair.py"), kind]
    alone = run(program, host_environment())
    traced = run(
        [str(binaries / "relayscope-instrument"), "--service-name", "pair", "--", *program],
        host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=otlp_sink.endpoint),
    )
    eventually(lambda: len(_of(otlp_sink, Span.SPAN_KIND_SERVER, CALLS)) == sum(CALLS.values()))
    return alone.stdout, traced.stdout, otlp_sink


def test_each_call_in_memory_is_seen_from_either_side_and_changes_nothing(
    told: tuple[str, str, OtlpSink],
) -> None:
    """Every span twice, the server's the client's child; every text twice, and as many answers."""
    alone, traced, sink = told

    assert alone.count("\n") == 4
    assert traced == alone
    for kind in (Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER):
        assert Counter(span.name for span in _of(sink, kind, CALLS)) == CALLS
    clients = {span.span_id: span for span in _of(sink, Span.SPAN_KIND_CLIENT)}
    servers = _of(sink, Span.SPAN_KIND_SERVER)
    assert len(servers) == len(clients)
    for span in servers:
        assert clients[span.parent_span_id].name == span.name
    texts: dict[str, Counter[str]] = defaultdict(Counter)
    for _, record in sink.records:
        direction = {item.key: item.value.string_value for item in record.attributes}[
            MESSAGE_DIRECTION
        ]
        texts[direction][record.body.string_value] += 1
    assert texts["sent"] == texts["received"]
    assert len(texts["sent"]) >= 2 * sum(CALLS.values()) - 1
    requested = Counter(
        message["params"]["name"]
        for message in map(orjson.loads, texts["sent"].elements())
        if message.get("method") == "tools/call"
    )
    assert requested == {name.split()[1]: times for name, times in CALLS.items()}


def test_a_call_in_memory_fails_on_either_side(told: tuple[str, str, OtlpSink]) -> None:
    """A tool's error, and an answer that nobody waited for, are in both spans."""
    _, _, sink = told

    for kind in (Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER):
        failed = [
            span.name
            for span in _of(sink, kind, CALLS)
            if span.status.code == Status.STATUS_CODE_ERROR
        ]
        assert sorted(failed) == ["tools/call add", "tools/call sleep"]


def _of(
    sink: OtlpSink, kind: "Span.SpanKind.ValueType", names: dict[str, int] | None = None
) -> list[Span]:
    spans = [span for _, span in sink.spans if span.kind == kind]
    return [span for span in spans if names is None or span.name in names]
