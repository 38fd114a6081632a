"""Load for a collector: requests of log records or spans, as fast as they are taken."""

from __future__ import annotations

import collections
import multiprocessing
import os
import time
from itertools import chain
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from relayscope.collector.signals import LOGS, Signal
from relayscope.conventions.events import EVENT_MESSAGE
from tests.bench.record import ATTRIBUTES, PLAIN

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.queues import Queue

ITEMS: Final = 512
"""In one request, as the SDK's batch processors send by default."""

_TIME_BITS: Final = 16
"""The last bits of a time in ns, by which the items of a request differ."""

_SPAN_TAKES: Final = 16
"""The time that a span takes, without those bits: 1 ms."""

_CONNECTIONS: Final = 4

IN_FLIGHT: Final = 16
"""Requests that are under way at a time."""


class Load(NamedTuple):
    """Items that were taken, the time of them all, and the longest time of a request; seconds."""

    items: int
    seconds: float
    longest: float

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds


class Requests:
    """Requests with `ITEMS` items each, which differ in their times and in their traces.

    A store in which all is of one moment, or of a few traces, is none that anybody reads.
    """

    def __init__(self, signal: Signal, bodies: Sequence[str] = (PLAIN,)) -> None:
        """Log records have these bodies in turn."""
        self._made = _now()
        traces = [os.urandom(16) for _ in range(ITEMS)]
        left = _request(signal, bodies, self._made << _TIME_BITS, traces)
        self._pieces: list[bytes] = []
        for trace in traces:
            piece, _, left = left.partition(trace)
            self._pieces.append(piece)
        self._end = left

    def another(self) -> bytes:
        """Return a request of now."""
        traces = os.urandom(16 * ITEMS)
        each = [traces[at : at + 16] for at in range(0, len(traces), 16)]
        request = b"".join(chain(*zip(self._pieces, each, strict=True), (self._end,)))
        now = _now()
        for later in (0, _SPAN_TAKES):
            request = request.replace(_bytes(self._made + later), _bytes(now + later))
        return request


def load(address: str, signal: Signal, seconds: float, bodies: Sequence[str] = (PLAIN,)) -> Load:
    """Send at full speed for so long, from a process of its own."""
    context = multiprocessing.get_context("spawn")
    answer: Queue[Load] = context.Queue()
    sender = context.Process(target=_send, args=(address, signal, bodies, seconds, answer))
    sender.start()
    taken = answer.get()
    sender.join()
    return taken


def _send(
    address: str, signal: Signal, bodies: Sequence[str], seconds: float, answer: Queue[Load]
) -> None:
    """Keep requests in flight for so long; answers with what was taken."""
    requests = Requests(signal, bodies)
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.insecure_channel(address, options=options) for _ in range(_CONNECTIONS)]
    methods: list[Any] = [channel.unary_unary(f"/{signal.service}/Export") for channel in channels]
    waiting: collections.deque[Any] = collections.deque()
    taken: list[float] = []
    sent = 0
    started = time.perf_counter()
    while time.perf_counter() < started + seconds:
        call = methods[sent % _CONNECTIONS].future(requests.another())
        call.add_done_callback(_noting(taken))
        waiting.append(call)
        sent += 1
        if len(waiting) >= IN_FLIGHT:
            waiting.popleft().result()
    for call in waiting:
        call.result()
    answer.put(Load(sent * ITEMS, time.perf_counter() - started, max(taken)))


def _noting(taken: list[float]) -> Any:
    began = time.perf_counter()
    return lambda _: taken.append(time.perf_counter() - began)


def _request(signal: Signal, bodies: Sequence[str], now: int, traces: Sequence[bytes]) -> bytes:
    resource = Resource(
        attributes=[KeyValue(key="service.name", value=AnyValue(string_value="relay"))]
    )
    attributes = _attributes()
    if signal == LOGS:
        logs = ExportLogsServiceRequest()
        records = logs.resource_logs.add(resource=resource).scope_logs.add().log_records
        for number, trace in enumerate(traces):
            records.add(
                time_unix_nano=now + number,
                severity_number=1,
                event_name=EVENT_MESSAGE,
                body=AnyValue(string_value=bodies[number % len(bodies)]),
                attributes=attributes,
                trace_id=trace,
                span_id=os.urandom(8),
            )
        return logs.SerializeToString()
    spans = ExportTraceServiceRequest()
    items = spans.resource_spans.add(resource=resource).scope_spans.add().spans
    for number, trace in enumerate(traces):
        span = items.add(
            name="tools/call get_time",
            kind=2,
            start_time_unix_nano=now + number,
            end_time_unix_nano=now + number + (_SPAN_TAKES << _TIME_BITS),
            attributes=attributes,
            trace_id=trace,
            span_id=os.urandom(8),
            parent_span_id=os.urandom(8),
        )
        span.events.add(name="sent", time_unix_nano=now, attributes=attributes[:1])
    return spans.SerializeToString()


def _attributes() -> list[KeyValue]:
    return [
        KeyValue(
            key=key,
            value=AnyValue(int_value=value)
            if isinstance(value, int)
            else AnyValue(string_value=str(value)),
        )
        for key, value in ATTRIBUTES.items()
    ]


def _now() -> int:
    return time.time_ns() >> _TIME_BITS


def _bytes(now: int) -> bytes:
    """As they are in a request."""
    return now.to_bytes(8 - _TIME_BITS // 8, "little")
