"""Sends what a relay's forwarder once sent, at the same pace, again and again.

    python -m tests.bench.replay FILE ENDPOINT

So a collector has the same work to do although the relay that is measured sends it nothing: two
virtual processors are often one real one, on which a collector that works slows down all else.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import time
from base64 import b64decode, b64encode
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from relayscope.collector.signals import SIGNALS
from tests.fix_delivery import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass
class Keeping(Receiver):
    """A receiver that knows when each request came."""

    moments: list[float] = field(default_factory=list)

    def take(self, signal: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        """Take a request."""
        self.moments.append(time.monotonic())
        return super().take(signal, request, context)

    def write(self, path: Path) -> None:
        """Write what came, for `replaying`."""
        with path.open("w") as file:
            for moment, (signal, request) in zip(self.moments, self.requests, strict=True):
                after = moment - self.moments[0]
                file.write(json.dumps([after, signal, b64encode(request).decode()]) + "\n")


@contextmanager
def replaying(path: Path, endpoint: str, cores: set[int]) -> Iterator[None]:
    """Send from a process of its own, on these cores, what was written."""
    command = [sys.executable, "-m", "tests.bench.replay", str(path), endpoint]
    process = subprocess.Popen(command)
    os.sched_setaffinity(process.pid, cores)
    try:
        yield
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def main() -> None:
    """Send until killed."""
    path, endpoint = sys.argv[1:]
    with open(path) as file:  # noqa: PTH123
        requests = [json.loads(line) for line in file]
    with grpc.insecure_channel(endpoint) as channel:
        export: dict[str, Any] = {
            signal.name: channel.unary_unary(f"/{signal.service}/Export") for signal in SIGNALS
        }
        for turn in itertools.count():
            began = time.monotonic()
            for after, signal, body in requests:
                time.sleep(max(0.0, began + after - time.monotonic()))
                export[signal](b64decode(body) + _mark(turn), timeout=60)


def _mark(turn: int) -> bytes:
    """What makes a request another one: a collector stores the very same bytes only once."""
    # Messages one after the other are one message, and all signals number this field alike.
    marked = ExportLogsServiceRequest()
    marked.resource_logs.add(schema_url=f"turn {turn}")
    return marked.SerializeToString()


if __name__ == "__main__":
    main()
