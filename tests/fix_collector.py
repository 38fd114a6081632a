"""A real `relayscope serve` on free ports, gone when the test is."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import Queue
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, Self

import pytest
from sqlalchemy import make_url

from relayscope.storage import create_engine
from tests.fix_postgres import make_database

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from types import TracebackType

    import grpc
    from sqlalchemy import Connection, Engine

    from relayscope.collector.signals import Signal

PATIENCE = 60
"""Seconds after which a collector that does not do what it should counts as hung."""


_NUMBERS = itertools.count(1)

PROTOBUF = "application/x-protobuf"
JSON = "application/json"


class Reply(NamedTuple):
    """An HTTP answer."""

    status: int
    headers: dict[str, str]
    body: bytes


def collector_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without settings that would reach the collector."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("RELAYSCOPE_", "OTEL_"))
        # A test runner's own terminal says nothing about the one that a test opens.
        and name not in {"COLUMNS", "LINES"}
    }
    return inherited | dict(extra or {})


def export(
    channel: grpc.Channel, signal: Signal, raw: bytes, authorization: str | None = None
) -> bytes:
    """The raw answer to a raw OTLP/gRPC request."""
    method: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
        f"/{signal.service}/Export"
    )
    metadata = (("authorization", authorization),) if authorization is not None else ()
    return method(raw, timeout=PATIENCE, metadata=metadata)


class Collector:
    """A running `relayscope serve`.

    Attributes:
        grpc: `127.0.0.1:port` of OTLP/gRPC.
        http: `127.0.0.1:port` of OTLP/HTTP.
        page: `127.0.0.1:port` of the page.
        log: the lines that it has logged so far.
    """

    def __init__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> None:
        self.log: list[dict[str, Any]] = []
        self.grpc = ""
        self.http = ""
        self.page = ""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "relayscope.collector", "serve", *arguments],
            env=collector_environment({"RELAYSCOPE_PAGE": "127.0.0.1:0"} | dict(environment or {})),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._ready: Queue[bool] = Queue()
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def wait_until_ready(self) -> Self:
        """Wait for both listeners."""
        if not self._ready.get(timeout=PATIENCE):
            pytest.fail(f"relayscope serve ended before it was ready: {self.log}")
        return self

    def url(self, path: str) -> str:
        """The URL of a path of the HTTP listener."""
        return f"http://{self.http}{path}"

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | Iterable[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """The answer to one HTTP request on a connection of its own."""
        connection = http.client.HTTPConnection(self.http, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, body, dict(headers or {}))
            response = connection.getresponse()
            return Reply(response.status, dict(response.getheaders()), response.read())

    def post(self, signal: str, body: bytes, media_type: str = PROTOBUF, **headers: str) -> Reply:
        """The answer to an OTLP/HTTP request; `content_encoding="gzip"` is such a header."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.ask("POST", f"/v1/{signal}", body, {"content-type": media_type} | named)

    def forget_peak_memory(self) -> None:
        """Let `peak_memory` begin anew."""
        Path(f"/proc/{self.process.pid}/clear_refs").write_text("5")

    def peak_memory(self) -> int:
        """The most memory it has held since `forget_peak_memory`, in bytes."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no VmHWM")

    def open_files(self) -> int:
        """Return the number of its open file descriptors."""
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def events(self, event: str) -> list[dict[str, Any]]:
        """The logged lines of one event."""
        return [line for line in self.log if line.get("event") == event]

    def wait(self) -> int:
        """The exit code, after everything it logged has been read."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return code

    def stop(self) -> int:
        """Ask it to stop; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """End it without warning."""
        self.process.kill()
        self.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.wait()
        assert self.process.stderr is not None
        self.process.stderr.close()

    def _read_log(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            try:
                entry = json.loads(line)
            except json.JSONDecodeError:
                entry = {"text": line.rstrip("\n")}
            self.log.append(entry)
            match entry.get("event"), entry.get("protocol"):
                case "listening", "otlp/grpc":
                    self.grpc = entry["address"]
                case "listening", "page":
                    self.page = entry["address"]
                case "listening", _:
                    self.http = entry["address"]
                case "ready", _:
                    self._ready.put(True)
        self._ready.put(False)


class StartCollector(Protocol):
    """Starts one more collector; all are stopped when the test or the file ends."""

    def __call__(self, *arguments: str, environment: Mapping[str, str] | None = None) -> Collector:
        """A collector that is ready, on free ports, with the database of the test or the file."""


@contextlib.contextmanager
def _starting(database_url: str, data_dir: Path) -> Iterator[StartCollector]:
    running: list[Collector] = []

    def start(*arguments: str, environment: Mapping[str, str] | None = None) -> Collector:
        standard = standard_environment(database_url, data_dir)
        collector = Collector(*arguments, environment=standard | dict(environment or {}))
        running.append(collector)
        return collector.wait_until_ready()

    try:
        yield start
    finally:
        for collector in running:
            with collector:
                pass


@pytest.fixture
def start_collector(database_url: str, tmp_path: Path) -> Iterator[StartCollector]:
    """Start collectors with the test's database; further options and variables as arguments."""
    with _starting(database_url, tmp_path / "data") as start:
        yield start


@pytest.fixture
def collector(start_collector: StartCollector) -> Collector:
    """A collector with default settings, but for sealing."""
    return start_collector()


@pytest.fixture(scope="module")
def shared_database_url(_server: Connection, _template: str, server_url: str) -> Iterator[str]:
    """The database of `shared_collector`."""
    name = f"relayscope_shared_{os.getpid()}_{next(_NUMBERS)}"
    make_database(_server, name, _template)
    yield make_url(server_url).set(database=name).render_as_string(hide_password=False)
    _server.exec_driver_sql(f"drop database {name} with (force)")


@pytest.fixture(scope="module")
def shared_engine(shared_database_url: str) -> Iterator[Engine]:
    """An engine for the database of `shared_collector`."""
    engine = create_engine(shared_database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def start_shared_collector(
    shared_database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StartCollector]:
    """Start collectors for all tests of a file; to start one takes a second of a processor."""
    with _starting(shared_database_url, tmp_path_factory.mktemp("shared")) as start:
        yield start


@pytest.fixture(scope="module")
def shared_collector(start_shared_collector: StartCollector) -> Collector:
    """A collector for tests that mind neither what others have sent nor what is stored."""
    return start_shared_collector()


@pytest.fixture
def emptied_collector(shared_collector: Collector, shared_engine: Engine) -> Collector:
    """The shared collector without a span, a log record or a metric in its database.

    It knows again what it was sent a moment ago, so each test sends something else.
    """
    with shared_engine.begin() as connection:
        connection.exec_driver_sql(
            "truncate relayscope_store.span, relayscope_store.log, relayscope_store.metric_point"
        )
    return shared_collector


def standard_environment(database_url: str, data_dir: Path) -> dict[str, str]:
    """The settings of a collector on free ports, with that database."""
    return {
        "RELAYSCOPE_DATABASE_URL": database_url,
        "RELAYSCOPE_DATA_DIR": str(data_dir),
        "RELAYSCOPE_GRPC": "127.0.0.1:0",
        "RELAYSCOPE_HTTP": "127.0.0.1:0",
        # Samples are as old as they are: the round of maintenance that a collector begins with
        # would seal and remove them, if they come before its end.
        "RELAYSCOPE_SEAL_AFTER": "P36500D",
        "RELAYSCOPE_KEEP_LOGS": "P3650D",
        "RELAYSCOPE_KEEP_TRACES": "P3650D",
        "RELAYSCOPE_KEEP_METRICS": "P3650D",
        "RELAYSCOPE_KEEP_APART": "[]",
    }
