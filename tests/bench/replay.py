"""Sends what a relay's forwarder once sent, at the same pace, again and again.

So a collector has the same work to do although the relay that is measured sends it nothing: two
virtual processors are often one real one, on which a collector that works slows down all else.
"""

from __future__ import annotations

import itertools
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from relayscope.collector.signals import SIGNALS
from tests.fix_delivery import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Sent(NamedTuple):
    """A request, and how many seconds after the first it came."""

    after: float
    signal: str
    body: bytes


@dataclass
class Keeping(Receiver):
    """A receiver that knows when each request came."""

    moments: list[float] = field(default_factory=list)

    def take(self, signal: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        """Take a request."""
        self.moments.append(time.monotonic())
        return super().take(signal, request, context)

    def sent(self) -> list[Sent]:
        """Return the requests that came, for `replaying`."""
        moments = zip(self.moments, self.requests, strict=True)
        return [Sent(moment - self.moments[0], *request) for moment, request in moments]


@contextmanager
def replaying(requests: Sequence[Sent], endpoint: str, cores: set[int]) -> Iterator[None]:
    """Send these from a process of its own, on these cores."""
    # Not forked: gRPC's threads would be missing in it.
    process = get_context("spawn").Process(target=_replay, args=(requests, endpoint, cores))
    process.start()
    try:
        yield
        assert process.is_alive()
    finally:
        process.kill()
        process.join()


def _replay(requests: Sequence[Sent], endpoint: str, cores: set[int]) -> None:
    """Send until killed."""
    os.sched_setaffinity(0, cores)
    with grpc.insecure_channel(endpoint) as channel:
        export: dict[str, Any] = {
            signal.name: channel.unary_unary(f"/{signal.service}/Export") for signal in SIGNALS
        }
        for turn in itertools.count():
            began = time.monotonic()
            for after, signal, body in requests:
                time.sleep(max(0.0, began + after - time.monotonic()))
                export[signal](body + _mark(turn), timeout=60)


def _mark(turn: int) -> bytes:
    """Return bytes that make a request a new one: a collector stores the same bytes only once."""
    # Messages one after the other are one message, and all signals number this field alike.
    marked = ExportLogsServiceRequest()
    marked.resource_logs.add(schema_url=f"turn {turn}")
    return marked.SerializeToString()
