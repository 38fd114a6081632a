"""A collector and a PostgreSQL of its own, in which scenarios break things."""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from relayscope.storage import EmbeddedServer, create_engine, migrate
from tests.fix_collector import Collector
from tests.fix_oracle import Oracle, Producers, Verdict
from tests.fix_programs import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

RECOVERY_SECONDS = 60


@dataclass
class Field:
    """A collector on fixed ports that can be killed and started again, and its database."""

    database_url: str
    data_dir: Path
    grpc: str
    http: str
    environment: dict[str, str] = field(default_factory=dict)
    issued: dict[str, str] = field(default_factory=dict)
    collector: Collector | None = None

    def start(self, *arguments: str) -> None:
        """Start the collector, and wait until it listens."""
        environment = {
            "RELAYSCOPE_DATABASE_URL": self.database_url,
            "RELAYSCOPE_DATA_DIR": str(self.data_dir),
            "RELAYSCOPE_GRPC": self.grpc,
            "RELAYSCOPE_HTTP": self.http,
            **self.environment,
        }
        self.collector = Collector(*arguments, environment=environment).wait_until_ready()

    def kill(self) -> None:
        """End the collector with SIGKILL."""
        assert self.collector is not None
        self.collector.kill()
        self._close()

    def stop(self) -> int:
        """End the collector with SIGTERM; return its exit code."""
        assert self.collector is not None
        code = self.collector.stop()
        self._close()
        return code

    def _close(self) -> None:
        if self.collector is not None:
            with self.collector:
                pass
        self.collector = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Let nothing of it be left behind."""
        try:
            yield
        finally:
            self._close()


def wait_until_drained(ground: Field) -> float:
    """Wait until PostgreSQL takes everything and nothing waits; return how many seconds it took."""
    started = time.monotonic()
    assert ground.collector is not None
    while time.monotonic() - started < RECOVERY_SECONDS:
        with suppress(OSError, http.client.HTTPException):
            health = json.loads(ground.collector.ask("GET", "/readyz").body)
            if health["ready"] and health["spool"]["requests"] == 0:
                return time.monotonic() - started
        time.sleep(0.05)
    raise AssertionError("what waited on disk was not written")


def forget(ground: Field) -> None:
    """Empty the database of a collector that is not at work: to judge reads all of it."""
    engine = create_engine(ground.database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("truncate relayscope_store.log, relayscope_store.span")
    engine.dispose()


def judge(ground: Field, oracle: Oracle) -> Verdict:
    """Compare the database with what was acknowledged."""
    engine = create_engine(ground.database_url)
    try:
        return oracle.judge(engine)
    finally:
        engine.dispose()


def postmaster(data_dir: Path) -> int:
    """Return the process id of the embedded PostgreSQL in this folder."""
    pid_file = data_dir / "postgresql" / "server" / "cluster" / "postmaster.pid"
    return int(pid_file.read_text().split("\n", 1)[0])


def wait_until_replaced(data_dir: Path, pid: int) -> None:
    """Wait until another PostgreSQL runs in this folder."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        with suppress(OSError, ValueError):
            if postmaster(data_dir) != pid:
                return
        if time.monotonic() > deadline:
            raise AssertionError("PostgreSQL was not started again")
        time.sleep(0.02)


@contextmanager
def own_field() -> Iterator[Field]:
    """Yield a field with a PostgreSQL of its own, which may be killed."""
    # A short path: PostgreSQL's socket must fit into 107 bytes.
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as folder,
        EmbeddedServer.start(Path(folder)) as server,
    ):
        engine = create_engine(server.url)
        migrate(engine)
        engine.dispose()
        field = Field(
            server.url, Path(folder), f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        )
        with field.running():
            yield field


def wait_until_alive(ground: Field, oracle: Oracle) -> None:
    """Wait until a fresh record comes through."""
    before = len(oracle.acknowledged)
    with Producers(oracle, ground.grpc, ground.http):
        deadline = time.monotonic() + RECOVERY_SECONDS
        while len(oracle.acknowledged) == before:
            if time.monotonic() > deadline:
                raise AssertionError("nothing is accepted any more")
            time.sleep(0.05)


def spooled(ground: Field) -> int:
    """Return how many requests wait on disk."""
    assert ground.collector is not None
    requests: int = json.loads(ground.collector.ask("GET", "/readyz").body)["spool"]["requests"]
    return requests


def wait_until_spooled(ground: Field, requests: int) -> None:
    """Wait until more requests than these wait on disk."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while spooled(ground) <= requests:
        if time.monotonic() > deadline:
            raise AssertionError("nothing is spooled")
        time.sleep(0.02)


def wait_until_refused(ground: Field, oracle: Oracle, records: int) -> None:
    """Send large requests until there is no room for one; it is refused in a retryable way."""
    assert ground.collector is not None
    deadline = time.monotonic() + RECOVERY_SECONDS
    while time.monotonic() < deadline:
        marks, request = oracle.issue("logs", records)
        oracle.attempts["logs"] += 1
        reply = ground.collector.post("logs", request)
        if reply.status == 503:
            return
        if reply.status != 200:
            raise AssertionError(f"answered with {reply.status}")
        oracle.acknowledge(marks)
    raise AssertionError("the spool never got full")
