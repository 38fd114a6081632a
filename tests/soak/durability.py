"""The rounds behind `make soak`: kill things under load, and count what was lost.

usage: python -m tests.soak.durability SCENARIO [--rounds N]

Each scenario is a generator of rounds; the tests run a few of each, this program as many as asked.
Prints a table: rounds, acknowledged, stored, lost, twice, slowest recovery.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from relayscope.storage import EmbeddedServer, create_engine, migrate
from tests.fix_collector import Collector
from tests.fix_oracle import Oracle, Producers, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

_RECOVERY_SECONDS = 60


def free_port() -> int:
    """Return a port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass
class Field:
    """A collector on fixed ports that can be killed and started again, and its database."""

    database_url: str
    data_dir: Path
    grpc: str
    http: str
    collector: Collector | None = None

    def start(self, *arguments: str) -> None:
        """Start the collector, and wait until it listens."""
        environment = {
            "RELAYSCOPE_DATABASE_URL": self.database_url,
            "RELAYSCOPE_DATA_DIR": str(self.data_dir),
            "RELAYSCOPE_GRPC": self.grpc,
            "RELAYSCOPE_HTTP": self.http,
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


def wait_until_drained(field: Field) -> float:
    """Wait until PostgreSQL takes everything and nothing waits; return how many seconds it took."""
    started = time.monotonic()
    assert field.collector is not None
    while time.monotonic() - started < _RECOVERY_SECONDS:
        with suppress(OSError, http.client.HTTPException):
            health = json.loads(field.collector.ask("GET", "/readyz").body)
            if health["ready"] and health["spool"]["requests"] == 0:
                return time.monotonic() - started
        time.sleep(0.05)
    raise AssertionError("what waited on disk was not written")


def judge(field: Field, oracle: Oracle) -> Verdict:
    """Compare the database with what was acknowledged."""
    engine = create_engine(field.database_url)
    try:
        return oracle.judge(engine)
    finally:
        engine.dispose()


def collector_killed(field: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R1: kill -9 of the collector during load; return the slowest recovery in seconds."""
    slowest = 0.0
    with field.running():
        field.start()
        with Producers(oracle, field.grpc, field.http):
            for _ in range(rounds):
                time.sleep(chance.uniform(0.2, 1.2))
                field.kill()
                killed = time.monotonic()
                field.start()
                slowest = max(slowest, time.monotonic() - killed)
        wait_until_drained(field)
    return slowest


def database_killed(field: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R2: PostgreSQL is killed during load, and started again by who looks after it.

    SIGKILL ends it as a crash of the machine's process table would; SIGQUIT is what
    `pg_ctl stop -m immediate` sends.
    """
    slowest = 0.0
    with field.running():
        field.start()
        with Producers(oracle, field.grpc, field.http):
            for _ in range(rounds):
                time.sleep(chance.uniform(0.2, 1.2))
                pid = postmaster(field.data_dir)
                os.kill(pid, chance.choice((signal.SIGKILL, signal.SIGQUIT)))
                killed = time.monotonic()
                wait_until_replaced(field.data_dir, pid)
                wait_until_drained(field)
                slowest = max(slowest, time.monotonic() - killed)
        wait_until_drained(field)
    return slowest


def both_killed(field: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """PostgreSQL is killed, and then the collector while requests wait in its outage spool."""
    slowest = 0.0
    with field.running():
        field.start()
        with Producers(oracle, field.grpc, field.http):
            for _ in range(rounds):
                time.sleep(chance.uniform(0.2, 0.8))
                pid = postmaster(field.data_dir)
                os.kill(pid, signal.SIGKILL)
                time.sleep(chance.uniform(0.0, 0.4))
                field.kill()
                killed = time.monotonic()
                wait_until_replaced(field.data_dir, pid)
                field.start()
                slowest = max(slowest, time.monotonic() - killed)
        wait_until_drained(field)
    return slowest


def stopped_gracefully(field: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R11: SIGTERM while requests come; nothing is acknowledged after it that is not stored."""
    slowest = 0.0
    with field.running():
        field.start()
        with Producers(oracle, field.grpc, field.http):
            for _ in range(rounds):
                time.sleep(chance.uniform(0.1, 0.6))
                asked = time.monotonic()
                code = field.stop()
                slowest = max(slowest, time.monotonic() - asked)
                if code != 0:
                    raise AssertionError(f"relayscope serve ended with {code}")
                field.start()
        wait_until_drained(field)
    return slowest


SCENARIOS: dict[str, Callable[[Field, Oracle, int, random.Random], float]] = {
    "collector-killed": collector_killed,
    "database-killed": database_killed,
    "both-killed": both_killed,
    "stopped-gracefully": stopped_gracefully,
}


def postmaster(data_dir: Path) -> int:
    """Return the process id of the embedded PostgreSQL in this folder."""
    pid_file = data_dir / "postgresql" / "cluster" / "postmaster.pid"
    return int(pid_file.read_text().split("\n", 1)[0])


def wait_until_replaced(data_dir: Path, pid: int) -> None:
    """Wait until another PostgreSQL runs in this folder."""
    deadline = time.monotonic() + _RECOVERY_SECONDS
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
        yield Field(
            server.url, Path(folder), f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}"
        )


def run(scenario: str, rounds: int, seed: int) -> tuple[Verdict, Oracle, float]:
    """Run a scenario; return what was lost, what was tried, and the slowest recovery."""
    with own_field() as field:
        oracle = Oracle()
        slowest = SCENARIOS[scenario](field, oracle, rounds, random.Random(seed))
        if oracle.refusals:
            raise AssertionError(f"good requests were refused for good: {oracle.refusals[:3]}")
        verdict = judge(field, oracle)
        # Alive at the end: a fresh record still comes through.
        with field.running():
            field.start()
            fresh = len(oracle.acknowledged)
            with Producers(oracle, field.grpc, field.http):
                deadline = time.monotonic() + _RECOVERY_SECONDS
                while len(oracle.acknowledged) == fresh:
                    if time.monotonic() > deadline:
                        raise AssertionError("nothing is accepted any more")
                    time.sleep(0.05)
        return verdict, oracle, slowest


def main() -> None:
    """Run scenarios for as many rounds as asked, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("scenario", nargs="*", choices=[*SCENARIOS, []], default=[])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=random.randrange(2**32))
    options = parser.parse_args()
    print(f"seed {options.seed}")
    print(
        f"{'scenario':<20} {'rounds':>6} {'acknowledged':>12} {'stored':>9} {'lost':>5} "
        f"{'twice':>5} {'requests':>9} {'recovered in':>12}"
    )
    bad = 0
    for scenario in options.scenario or SCENARIOS:
        verdict, oracle, slowest = run(scenario, options.rounds, options.seed)
        print(
            f"{scenario:<20} {options.rounds:>6} {verdict.acknowledged:>12} {verdict.stored:>9} "
            f"{verdict.lost:>5} {verdict.twice:>5} {oracle.attempts.total():>9} {slowest:>10.2f} s",
            flush=True,
        )
        bad += verdict.lost + verdict.twice + verdict.foreign + verdict.changed
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
