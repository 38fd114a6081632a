"""Spools of a test's own, and an end to the forwarders that work on them."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
import time
from collections import Counter, defaultdict
from concurrent import futures
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from signal import SIGKILL
from typing import TYPE_CHECKING, Any

import grpc
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, Span

from relayscope.collector.signals import LOGS, TRACES
from relayscope.conventions.attributes import DELIVERY_ENDED, DELIVERY_SEQUENCE
from relayscope.conventions.environment import RELAYSCOPE_SPOOL_DIR
from relayscope.conventions.events import EVENT_DELIVERY

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SPOOL_DIR = RELAYSCOPE_SPOOL_DIR
DELAY = "OTEL_BLRP_SCHEDULE_DELAY"
_MODULE = b"relayscope.instrumentation.delivery"
_PATIENCE_SECONDS = 60
_NUMBERS = itertools.count(1)


def forwarders(folder: Path) -> list[int]:
    """Return the process ids of the forwarders that work on spools in a folder."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with suppress(OSError):
                arguments = (process / "cmdline").read_bytes().split(b"\0")
                # The shell that starts one has it in its arguments, too.
                is_python = arguments[0] != b"/bin/sh"
                if is_python and _MODULE in arguments and _is_in(folder, arguments[-2]):
                    found.append(int(process.name))
    return found


def _is_in(folder: Path, argument: bytes) -> bool:
    return Path(os.fsdecode(argument)).is_relative_to(folder)


def has_forwarder(folder: Path) -> bool:
    """Tell whether a forwarder has come to run, which it notes in its lock."""
    return any(lock.read_text().strip().isdecimal() for lock in folder.rglob("forwarder-*.lock"))


def end_forwarders(folder: Path) -> None:
    """End the forwarders that work on spools in a folder."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while running := forwarders(folder):
        assert time.monotonic() < deadline, f"forwarders do not end: {running}"
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, SIGKILL)
        time.sleep(0.01)


@pytest.fixture(scope="session", autouse=True)
def _spools_of_the_session() -> Iterator[Path]:
    """Keep fixtures of larger scope away from the user's own spools."""
    folder = Path(tempfile.mkdtemp(prefix="spool-"))
    os.environ[SPOOL_DIR] = str(folder)
    os.environ[DELAY] = "200"  # No test waits for it in vain.
    yield folder
    end_forwarders(folder)
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def spool_dir(_spools_of_the_session: Path) -> Iterator[Path]:
    """The spools of one test, where the programs that it starts find them."""
    # Each of 8,000 tests makes one, so this is quick: `tmp_path_factory` reads all earlier names,
    # and to look for forwarders is to read all processes.
    folder = _spools_of_the_session / f"test-{next(_NUMBERS)}"
    folder.mkdir(mode=0o700)
    os.environ[SPOOL_DIR] = str(folder)
    yield folder
    os.environ[SPOOL_DIR] = str(_spools_of_the_session)
    if any(folder.iterdir()):
        end_forwarders(folder)
        shutil.rmtree(folder)
    else:
        folder.rmdir()


@dataclass
class Receiver:
    """An OTLP/gRPC receiver that keeps the raw requests and answers as it is told.

    Attributes:
        endpoint: Its URL.
        requests: Signal and bytes of each request, in the order in which they came.
        metadata: Of the same requests.
        script: Answers to the next requests, each used once; all later ones are taken.
    """

    endpoint: str = ""
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    metadata: list[dict[str, str | bytes]] = field(default_factory=list)
    script: list[Callable[[grpc.ServicerContext], bytes]] = field(default_factory=list)

    def take(self, signal: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        """Take a request."""
        self.requests.append((signal, request))
        self.metadata.append(dict(context.invocation_metadata()))
        return self.script.pop(0)(context) if self.script else b""

    def marks(self) -> Counter[str]:
        """Count each mark in requests with different bytes."""
        return Counter(
            mark for request in dict.fromkeys(self.requests) for mark in marks_in(*request)
        )

    def records(self) -> list[LogRecord | Span]:
        """Every record in every different request."""
        found: list[LogRecord | Span] = []
        for signal, request in dict.fromkeys(self.requests):
            found += records_in(signal, request)
        return found

    def numbers(self) -> list[int]:
        """The numbers that records had in their processes."""
        found = [value(record).get(DELIVERY_SEQUENCE) for record in self.records()]
        return [number for number in found if number is not None]

    def by_process(self) -> dict[str, list[LogRecord | Span]]:
        """Every record in every different request, by the instance id of its process."""
        found: defaultdict[str, list[LogRecord | Span]] = defaultdict(list)
        for signal, request in dict.fromkeys(self.requests):
            message: Any = _MESSAGES[signal].FromString(request)
            resources = message.resource_spans if signal == "traces" else message.resource_logs
            for resource in resources:
                attributes = {
                    item.key: item.value.string_value for item in resource.resource.attributes
                }
                found[attributes["service.instance.id"]] += _records_of(resource)
        return found

    def has_ended(self) -> bool:
        """Tell whether an account says that it is the last of its process."""
        return any(account.get(DELIVERY_ENDED) for account in self.accounts())

    def accounts(self) -> list[dict[str, Any]]:
        """The attributes of the accounts, in the order in which they came."""
        return [
            value(record)
            for record in self.records()
            if isinstance(record, LogRecord) and record.event_name == EVENT_DELIVERY
        ]


_MESSAGES: dict[str, Any] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
}


@lru_cache(maxsize=1024)
def marks_in(signal: str, request: bytes) -> tuple[str, ...]:
    """Return the marks of a raw request's records; whoever waits for them asks again and again."""
    return tuple(
        attribute.value.string_value
        for record in records_in(signal, request)
        for attribute in record.attributes
        if attribute.key == "mark"
    )


def records_in(signal: str, request: bytes) -> list[LogRecord | Span]:
    """Return the records of a raw request."""
    message: Any = _MESSAGES[signal].FromString(request)
    resources = message.resource_spans if signal == "traces" else message.resource_logs
    return [record for resource in resources for record in _records_of(resource)]


def _records_of(resource: Any) -> list[LogRecord | Span]:
    if isinstance(resource, ResourceSpans):
        return [span for scope in resource.scope_spans for span in scope.spans]
    return [record for scope in resource.scope_logs for record in scope.log_records]


def value(record: LogRecord | Span) -> dict[str, Any]:
    """Return a record's attributes as Python values; maps of numbers included."""
    return {item.key: _plain(item.value) for item in record.attributes}


def _plain(value: AnyValue) -> Any:
    if value.WhichOneof("value") == "kvlist_value":
        return {item.key: _plain(item.value) for item in value.kvlist_value.values}
    return getattr(value, value.WhichOneof("value") or "string_value")


@contextmanager
def receiving(
    receiver: Receiver, credentials: grpc.ServerCredentials | None = None, port: int = 0
) -> Iterator[Receiver]:
    """Let a receiver listen on the loopback interface."""
    server = grpc.server(futures.ThreadPoolExecutor(4))
    for signal in (LOGS, TRACES):

        def export(
            request: bytes, context: grpc.ServicerContext, signal: str = signal.name
        ) -> bytes:
            return receiver.take(signal, request, context)

        handler: Any = grpc.unary_unary_rpc_method_handler(export)
        server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(signal.service, {"Export": handler})]
        )
    address = f"127.0.0.1:{port}"
    if credentials is None:
        receiver.endpoint = f"http://127.0.0.1:{server.add_insecure_port(address)}"
    else:
        port = server.add_secure_port(address, credentials)
        receiver.endpoint = f"https://localhost:{port}"
    server.start()
    try:
        yield receiver
    finally:
        server.stop(None).wait()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port."""
    with receiving(Receiver()) as running:
        yield running
