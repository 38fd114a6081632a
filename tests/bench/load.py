"""Load for a collector: log records, spans or whole calls, as fast as they are taken."""

from __future__ import annotations

import collections
import multiprocessing
import os
import time
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from relayscope.collector.signals import LOGS, TRACES, Signal
from relayscope.conventions.attributes import MESSAGE_DIRECTION, MESSAGE_KIND
from relayscope.conventions.events import EVENT_MESSAGE
from tests.bench.record import ATTRIBUTES, PLAIN, RESULT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from multiprocessing.queues import Queue

ITEMS: Final = 512
"""In one request, as the SDK's batch processors send by default."""

_TIME_BITS: Final = 16
"""The last bits of a time in ns, by which the items of a request differ."""

_CALL_TAKES: Final = 16
"""The time that a call takes, without those bits: 1 ms."""

_SAID: Final = (
    ({MESSAGE_KIND: "request", MESSAGE_DIRECTION: "received"}, PLAIN, 0),
    ({MESSAGE_KIND: "result", MESSAGE_DIRECTION: "sent"}, RESULT, _CALL_TAKES),
)
"""In a call: attributes and text of each message, and how much later it is."""

_RESOURCE: Final = Resource(
    attributes=[KeyValue(key="service.name", value=AnyValue(string_value="relay"))]
)

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
        traces = [os.urandom(16) for _ in range(ITEMS)]
        now = _now()
        made = _request(signal, bodies, now << _TIME_BITS, traces)
        self._signal = signal
        self._template = _Template(made, now, traces)

    def another(self) -> bytes:
        """Return a request of now."""
        return self._template.filled(_traces())

    def each(self) -> Iterator[tuple[Signal, bytes]]:
        """Yield requests for ever."""
        while True:
            yield self._signal, self.another()


class Calls:
    """Requests of a component that asks: log records of what it says and is told, and spans.

    Who reads is not told the same by requests alone: a store in which nothing is ever answered is
    one in which all has failed.
    """

    def __init__(self) -> None:
        """Make those that all others are like."""
        traces = [os.urandom(16) for _ in range(ITEMS)]
        half = [trace for trace in traces[: ITEMS // 2] for _ in _SAID]
        spans = [os.urandom(8) for _ in range(ITEMS // 2)]
        now = _now()
        self._logs = _Template(_said(now << _TIME_BITS, half, spans), now, half)
        self._spans = _Template(_spans(now << _TIME_BITS, traces, spans + spans), now, traces)

    def each(self) -> Iterator[tuple[Signal, bytes]]:
        """Yield requests for ever: the records of one call after the other, then their spans."""
        while True:
            traces = _traces()
            twice = [trace for trace in traces for _ in _SAID]
            yield LOGS, self._logs.filled(twice[:ITEMS])
            yield LOGS, self._logs.filled(twice[ITEMS:])
            yield TRACES, self._spans.filled(traces)


class _Template:
    """A request that others are like, but for their traces and times."""

    def __init__(self, made: bytes, now: int, traces: Sequence[bytes]) -> None:
        self._made = now
        self._pieces: list[bytes] = []
        left = made
        for trace in traces:
            piece, _, left = left.partition(trace)
            self._pieces.append(piece)
        self._end = left

    def filled(self, traces: Sequence[bytes]) -> bytes:
        """Return a request of now."""
        request = b"".join(chain(*zip(self._pieces, traces, strict=True), (self._end,)))
        now = _now()
        for later in (0, _CALL_TAKES):
            request = request.replace(_bytes(self._made + later), _bytes(now + later))
        return request


def load(address: str, signal: Signal, seconds: float, bodies: Sequence[str] = (PLAIN,)) -> Load:
    """Send items of one kind at full speed for so long, from a process of its own."""
    return _load(address, partial(Requests, signal, bodies), seconds)


def load_calls(address: str, seconds: float) -> Load:
    """Send calls at full speed for so long, from a process of its own."""
    return _load(address, Calls, seconds)


def _load(address: str, make: Callable[[], Requests | Calls], seconds: float) -> Load:
    context = multiprocessing.get_context("spawn")
    answer: Queue[Load] = context.Queue()
    sender = context.Process(target=_send, args=(address, make, seconds, answer))
    sender.start()
    taken = answer.get()
    sender.join()
    return taken


def _send(
    address: str, make: Callable[[], Requests | Calls], seconds: float, answer: Queue[Load]
) -> None:
    """Keep requests in flight for so long; answers with what was taken."""
    requests = make().each()
    options = [("grpc.use_local_subchannel_pool", 1)]
    channels = [grpc.insecure_channel(address, options=options) for _ in range(_CONNECTIONS)]
    methods: list[dict[str, Any]] = [
        {signal.name: channel.unary_unary(f"/{signal.service}/Export") for signal in (LOGS, TRACES)}
        for channel in channels
    ]
    waiting: collections.deque[Any] = collections.deque()
    taken: list[float] = []
    sent = 0
    started = time.perf_counter()
    while time.perf_counter() < started + seconds:
        signal, request = next(requests)
        call = methods[sent % _CONNECTIONS][signal.name].future(request)
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
    if signal == TRACES:
        return _spans(now, traces, [os.urandom(8) for _ in traces])
    logs = ExportLogsServiceRequest()
    records = logs.resource_logs.add(resource=_RESOURCE).scope_logs.add().log_records
    attributes = _attributes()
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


def _said(now: int, traces: Sequence[bytes], spans: Sequence[bytes]) -> bytes:
    """The messages of calls; each trace comes as often as one says something."""
    logs = ExportLogsServiceRequest()
    records = logs.resource_logs.add(resource=_RESOURCE).scope_logs.add().log_records
    for number, trace in enumerate(traces):
        call, at = divmod(number, len(_SAID))
        said, body, later = _SAID[at]
        records.add(
            time_unix_nano=now + number + (later << _TIME_BITS),
            severity_number=1,
            event_name=EVENT_MESSAGE,
            body=AnyValue(string_value=body),
            attributes=_attributes(said),
            trace_id=trace,
            span_id=spans[call],
        )
    return logs.SerializeToString()


def _spans(now: int, traces: Sequence[bytes], spans: Sequence[bytes]) -> bytes:
    made = ExportTraceServiceRequest()
    items = made.resource_spans.add(resource=_RESOURCE).scope_spans.add().spans
    attributes = _attributes()
    for number, (trace, span_id) in enumerate(zip(traces, spans, strict=True)):
        span = items.add(
            name="tools/call get_time",
            kind=2,
            start_time_unix_nano=now + number,
            end_time_unix_nano=now + number + (_CALL_TAKES << _TIME_BITS),
            attributes=attributes,
            trace_id=trace,
            span_id=span_id,
            parent_span_id=os.urandom(8),
        )
        span.events.add(name="sent", time_unix_nano=now, attributes=attributes[:1])
    return made.SerializeToString()


def _attributes(others: Mapping[str, str] = MappingProxyType({})) -> list[KeyValue]:
    return [
        KeyValue(
            key=key,
            value=AnyValue(int_value=value)
            if isinstance(value, int)
            else AnyValue(string_value=str(value)),
        )
        for key, value in {**ATTRIBUTES, **others}.items()
    ]


def _traces() -> list[bytes]:
    traces = os.urandom(16 * ITEMS)
    return [traces[at : at + 16] for at in range(0, len(traces), 16)]


def _now() -> int:
    return time.time_ns() >> _TIME_BITS


def _bytes(now: int) -> bytes:
    """As they are in a request."""
    return now.to_bytes(8 - _TIME_BITS // 8, "little")
