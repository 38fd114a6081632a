"""A scenario with more load than can be stored (R12)."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from relayscope.collector.signals import LOGS
from tests.fix_collector import Collector, export
from tests.fix_oracle import RETRYABLE_GRPC, Oracle
from tests.soak.field import RECOVERY_SECONDS, Field, wait_until_drained

if TYPE_CHECKING:
    import random

# Together 100 MiB under way, where two workers take 64 MiB. On two cores shared with the senders,
# eight times as much was sent as was stored; 192 senders reached nine times.
_SENDERS = 96
_RECORDS = 500
_PADDING = AnyValue(string_value="padding " * 256)

_SECONDS = 5
_MOST_MEMORY = 200 * 2**20


def overload(ground: Field, oracle: Oracle, rounds: int, _: random.Random) -> float:
    """R12: more is sent than can be stored; refusals are retryable, and no worker exceeds 200 MiB.

    Each sender has a request of a megabyte under way all the time, and sends it again at once when
    it is refused.
    """
    slowest = 0.0
    with ground.running(), ThreadPoolExecutor(_SENDERS) as pool:
        ground.start("--workers", "2")
        assert ground.collector is not None
        for _round in range(rounds):
            load = _Load(ground, oracle)
            for sender in [pool.submit(load.send) for _ in range(_SENDERS)]:
                sender.result()
            if load.offered == load.stored:
                raise AssertionError(f"no overload: {load.stored} of {load.offered} were stored")
            slowest = max(slowest, wait_until_drained(ground))
            for pid, peak in _peaks(ground.collector).items():
                if peak > _MOST_MEMORY:
                    raise AssertionError(f"worker {pid} held {peak / 2**20:.0f} MiB")
    return slowest


class _Load:
    """A round of sending, in requests; it ends when it was long enough and some were refused."""

    def __init__(self, ground: Field, oracle: Oracle) -> None:
        self.offered = 0
        self.stored = 0
        self._ground = ground
        self._oracle = oracle
        self._enough_at = time.monotonic() + _SECONDS
        self._give_up_at = time.monotonic() + RECOVERY_SECONDS

    def send(self) -> None:
        """Send one request after the other, each until it is taken or the round is over."""
        # A channel of one's own, or all would share a connection, and with it a worker.
        options = [("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self._ground.grpc, options=options) as channel:
            while self._goes_on():
                marks, request = self._oracle.issue("logs", _RECORDS)
                padded = _padded(request)
                while self._goes_on():
                    if self._is_taken(channel, padded):
                        self._oracle.acknowledge(marks)
                        self.stored += 1
                        break

    def _goes_on(self) -> bool:
        now = time.monotonic()
        is_enough = now > self._enough_at and self.offered > self.stored > 0
        return not is_enough and not self._oracle.refusals and now < self._give_up_at

    def _is_taken(self, channel: grpc.Channel, request: bytes) -> bool:
        self.offered += 1
        self._oracle.attempts["logs"] += 1
        try:
            export(channel, LOGS, request)
        except grpc.RpcError as error:
            if error.code() not in RETRYABLE_GRPC:
                self._oracle.refusals.append(f"grpc {error.code()}: {error.details()}")
            return False
        return True


def _padded(request: bytes) -> bytes:
    message = ExportLogsServiceRequest.FromString(request)
    for record in message.resource_logs[0].scope_logs[0].log_records:
        record.attributes.add(key="padding", value=_PADDING)
    return message.SerializeToString()


def _peaks(collector: Collector) -> dict[str, int]:
    """Return the most memory that each worker has held, in bytes, by process id."""
    parent = collector.process.pid
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return {
        pid: int(line.split()[1]) * 1024
        for pid in children
        if b"workers" in Path(f"/proc/{pid}/cmdline").read_bytes()
        for line in Path(f"/proc/{pid}/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    }
