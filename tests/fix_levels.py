"""Hosts that can be spoken to one message at a time, and levels that are set while they run."""

from __future__ import annotations

import itertools
import json
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import psycopg
import pytest

from relayscope.conventions.environment import RELAYSCOPE_OPAMP_ENDPOINT, RELAYSCOPE_QUIET
from tests.fix_command import warm_relayscope
from tests.fix_programs import (
    PATIENCE_SECONDS,
    host_environment,
    instrumented,
    python,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_collector import Collector
    from tests.fix_programs import Run


class Host:
    """A backend on stdio, under `relayscope-instrument`."""

    program = "answering.py"

    def __init__(
        self, component: str, collector: Collector, *arguments: str, **variables: str
    ) -> None:
        environment = host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{collector.grpc}",
            **{
                RELAYSCOPE_OPAMP_ENDPOINT: collector.url(""),
                RELAYSCOPE_QUIET: "1",
                # Sooner than by default: these tests wait for what is stored.
                "OTEL_BLRP_SCHEDULE_DELAY": "200",
                **variables,
            },
        )
        self.component = component
        self.process = subprocess.Popen(
            instrumented(component, python(self.program, *arguments)),
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._ids = itertools.count(1)

    def call(self, tool: str = "add") -> int:
        """Make a call, which is answered; return its id."""
        number = next(self._ids)
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        call = {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": {"name": tool}}
        self.process.stdin.write(json.dumps(call) + "\n")
        self.process.stdin.flush()
        assert json.loads(self.process.stdout.readline())["id"] == number
        return number

    def close(self) -> None:
        """Let it end."""
        for stream in (self.process.stdin, self.process.stdout):
            assert stream is not None
            stream.close()
        self.process.wait(PATIENCE_SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.close()


class Crowd(Host):
    """Many processes of one component, which log."""

    program = "crowd.py"

    def __exit__(self, *_: object) -> None:
        """Wait for all of them: they would outlive the first, and write into a folder that goes."""
        try:
            self.close()
        finally:
            self.process.kill()


def level(collector: Collector, *arguments: str, **variables: str) -> Run:
    """Run `relayscope level` against a collector."""
    environment = host_environment(RELAYSCOPE_COLLECTOR=collector.url(""), **variables)
    return run([*warm_relayscope(), "level", *arguments], environment)


def listed(collector: Collector, **variables: str) -> dict[str, Any]:
    """Return what `relayscope level list` says."""
    found: dict[str, Any] = json.loads(level(collector, "list", "--json", **variables).stdout)
    return found


def processes(collector: Collector, component: str) -> list[dict[str, Any]]:
    """Return the listed processes of a component that have not ended."""
    # What the command asks for, without a process for each time that somebody asks.
    found: dict[str, Any] = json.loads(collector.ask("GET", "/v1/levels").body)
    return [
        process
        for process in found["processes"]
        if process["component"] == component and process["state"] != "ended"
    ]


def recorded(database_url: str, component: str, number: int) -> list[str | None]:
    """Return the texts of a call's two messages as they were recorded."""
    url = database_url.replace("+psycopg", "")
    with psycopg.connect(url) as connection:
        rows = connection.execute(
            "select body from relayscope.messages where component = %s and message_id is not null"
            " and attributes ->> 'jsonrpc.request.id' = %s order by time",
            (component, str(number)),
        ).fetchall()
    return [row[0] for row in rows]


@pytest.fixture
def hosts() -> Iterator[ExitStack]:
    """A stack for hosts, which end with the test."""
    with ExitStack() as stack:
        yield stack
