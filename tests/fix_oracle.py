"""An oracle: issues records with ids of their own, remembers which were acknowledged, and judges.

Producers send over OTLP/gRPC and OTLP/HTTP. A request that fails with a status that OTLP calls
retryable, or whose answer is lost, is sent again with the same bytes, as a client does. Only what
was answered with OK is an obligation.
"""

from __future__ import annotations

import http.client
import itertools
import random
import threading
import time
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span
from sqlalchemy import text

from relayscope.collector.signals import LOGS, TRACES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from sqlalchemy import Engine

    Send = Callable[[str, bytes], None]
    OpenSender = Callable[[], AbstractContextManager[Send]]

RETRYABLE_GRPC = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
RETRYABLE_HTTP = frozenset({429, 502, 503, 504})

FILLER = "filler"
"""The attribute of log records that are sent for their weight alone and never judged."""

_RECORDS_PER_REQUEST = 20
_TIMEOUT_SECONDS = 10


class Refused(Exception):
    """The collector refused a good request for good, which it never may."""


@dataclass
class Verdict:
    """Comparison of the database with the acknowledged records, as numbers of records.

    Attributes:
        acknowledged: Records in requests that were answered with OK.
        stored: Distinct issued records in the database.
        lost: Acknowledged records that are not there.
        twice: Records that are there more than once.
        foreign: Records that nobody issued.
        changed: Records whose text is not what was sent.
    """

    acknowledged: int
    stored: int
    lost: int
    twice: int
    foreign: int
    changed: int


@dataclass
class Oracle:
    """Mints ids, and keeps what was acknowledged."""

    issued: dict[str, str] = field(default_factory=dict)
    acknowledged: set[str] = field(default_factory=set)
    attempts: Counter[str] = field(default_factory=Counter)
    refusals: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def issue(self, signal: str, records: int = _RECORDS_PER_REQUEST) -> tuple[list[str], bytes]:
        """Return the ids of new records, and a request that holds them."""
        bodies = self.mint(records)
        return list(bodies), _spans(bodies) if signal == "traces" else _logs(bodies)

    def mint(self, records: int) -> dict[str, str]:
        """Return the texts of new records, by their ids."""
        marks = [_mark() for _ in range(records)]
        bodies = {mark: f"payload of {mark} " + "é" * random.randrange(40) for mark in marks}
        with self._lock:
            self.issued |= bodies
        return bodies

    def acknowledge(self, marks: list[str]) -> None:
        """Remember that these records were answered with OK."""
        with self._lock:
            self.acknowledged.update(marks)

    def release(self, marks: list[str]) -> None:
        """Forget the acknowledgement of records whose only copy was destroyed on purpose."""
        with self._lock:
            self.acknowledged.difference_update(marks)

    def judge(self, engine: Engine) -> Verdict:
        """Compare the database with what was acknowledged."""
        found: Counter[str] = Counter()
        foreign = changed = 0
        with engine.connect() as connection:
            connection.exec_driver_sql("set enable_indexscan = off")
            rows = connection.execute(
                text(
                    "select attributes ->> 'mark', body from relayscope.logs "
                    "where not attributes ? :filler "
                    "union all "
                    "select attributes ->> 'mark', name from relayscope.spans"
                ),
                {"filler": FILLER},
            )
            for mark, body in rows:
                found[mark] += 1
                foreign += mark not in self.issued
                changed += mark in self.issued and self.issued[mark] != body
        return Verdict(
            acknowledged=len(self.acknowledged),
            stored=len(self.issued.keys() & found.keys()),
            lost=len(self.acknowledged - found.keys()),
            twice=sum(count > 1 for count in found.values()),
            foreign=foreign,
            changed=changed,
        )


def _mark() -> str:
    """Return 32 hexadecimal digits, all letters: what looks like a card number is redacted.

    Six letters in 32 places do not collide; in 16, three million marks did, twice.
    """
    return "".join(random.choices("abcdef", k=32))


def _attributes(mark: str) -> list[KeyValue]:
    return [KeyValue(key="mark", value=AnyValue(string_value=mark))]


def _logs(bodies: dict[str, str]) -> bytes:
    records = [
        LogRecord(
            time_unix_nano=time.time_ns(),
            trace_id=bytes.fromhex(mark),
            body=AnyValue(string_value=body),
            attributes=_attributes(mark),
        )
        for mark, body in bodies.items()
    ]
    scope = ScopeLogs(log_records=records)
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(scope_logs=[scope])]
    ).SerializeToString()


def _spans(bodies: dict[str, str]) -> bytes:
    now = time.time_ns()
    spans = [
        Span(
            trace_id=bytes.fromhex(mark),
            span_id=bytes.fromhex(mark[:16]),
            name=body,
            start_time_unix_nano=now,
            end_time_unix_nano=now + 1,
            attributes=_attributes(mark),
        )
        for mark, body in bodies.items()
    ]
    scope = ScopeSpans(spans=spans)
    return ExportTraceServiceRequest(
        resource_spans=[ResourceSpans(scope_spans=[scope])]
    ).SerializeToString()


class Producers:
    """Threads that send what an oracle issues, until the context is left.

    A request that is under way then is sent until it is acknowledged or `patience` is over.
    """

    def __init__(
        self,
        oracle: Oracle,
        grpc_address: str,
        http_address: str,
        *,
        pause: float = 0.01,
        patience: float = 60,
    ) -> None:
        self._oracle = oracle
        self._grpc = grpc_address
        self._http = http_address
        self._pause = pause
        self._patience = patience
        self._stopping = threading.Event()
        self._give_up_at = float("inf")
        self._threads = [
            threading.Thread(target=self._produce, args=(send, signal), daemon=True)
            for send, signal in itertools.product(
                (self._send_grpc, self._send_http), ("logs", "traces")
            )
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._give_up_at = time.monotonic() + self._patience
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def _produce(self, open_sender: OpenSender, signal: str) -> None:
        with open_sender() as send:
            while not self._stopping.is_set():
                marks, request = self._oracle.issue(signal)
                if self._insist(send, signal, request):
                    self._oracle.acknowledge(marks)
                time.sleep(self._pause)

    def _insist(self, send: Send, signal: str, request: bytes) -> bool:
        """Send the same bytes until they are acknowledged."""
        while time.monotonic() < self._give_up_at:
            self._oracle.attempts[signal] += 1
            try:
                send(signal, request)
            except (ConnectionError, TimeoutError):
                time.sleep(0.05)
            except Refused as refused:
                self._oracle.refusals.append(str(refused))
                return False
            else:
                return True
        return False

    @contextmanager
    def _send_grpc(self) -> Iterator[Send]:
        options = (
            ("grpc.initial_reconnect_backoff_ms", 50),
            ("grpc.max_reconnect_backoff_ms", 200),
        )
        with grpc.insecure_channel(self._grpc, options=options) as channel:
            methods: dict[str, grpc.UnaryUnaryMultiCallable[bytes, bytes]] = {
                signal.name: channel.unary_unary(f"/{signal.service}/Export")
                for signal in (LOGS, TRACES)
            }

            def send(signal: str, request: bytes) -> None:
                try:
                    methods[signal](request, timeout=_TIMEOUT_SECONDS)
                except grpc.RpcError as error:
                    code = error.code()
                    if code not in RETRYABLE_GRPC:
                        raise Refused(f"grpc {code}: {error.details()}") from None
                    raise ConnectionError(str(code)) from None

            yield send

    @contextmanager
    def _send_http(self) -> Iterator[Send]:
        def send(signal: str, request: bytes) -> None:
            connection = http.client.HTTPConnection(self._http, timeout=_TIMEOUT_SECONDS)
            try:
                headers = {"content-type": "application/x-protobuf"}
                connection.request("POST", f"/v1/{signal}", request, headers)
                response = connection.getresponse()
                response.read()
            except http.client.HTTPException as error:
                raise ConnectionError(str(error)) from None
            finally:
                connection.close()
            if response.status in RETRYABLE_HTTP:
                raise ConnectionError(str(response.status))
            if response.status != 200:
                raise Refused(f"http {response.status}")

        yield send
