"""A scenario with ten times more load than can be stored (R12)."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import grpc
import grpc.aio
import psycopg
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord, ResourceLogs, ScopeLogs

from relayscope.collector.signals import LOGS
from tests.fix_collector import Collector
from tests.fix_oracle import FILLER, RETRYABLE_GRPC, Oracle
from tests.soak.field import RECOVERY_SECONDS, Field, wait_until_drained

if TYPE_CHECKING:
    import random

# Two workers let 48 MiB in and 256 requests wait; what comes beyond is refused at once.
_SENDERS = 400
_RECORDS = 10

_SECONDS = 5
_MANY_ROUNDS = 10
_FEW_SECONDS = 2
"""Each sender's first request is refused within the first of them."""
_TIMES = 10
_MOST_MEMORY = 200 * 2**20
_BE_SLOW = """
do $$ begin loop
    lock table relayscope_store.log in share mode;
    perform pg_sleep(0.8);
    commit;
    perform pg_sleep(0.05);
end loop; end $$"""
"""Lets nobody write most of the time, as a disk does that others use. PostgreSQL does it by itself:
our loop, busy with senders, held the lock for seconds."""

_RETRY_SECONDS = 2
"""Seconds after which a refusal asks to try again, on average."""
_DEADLINE_SECONDS = 10
"""Seconds that OTLP clients wait for an answer."""


def overload(ground: Field, oracle: Oracle, rounds: int, _: random.Random) -> float:
    """R12: ten times more is sent than is stored, for some seconds and more in each round.

    Refusals are retryable, what is accepted is answered before its client gives up, and no worker
    exceeds 200 MiB. Each sender has a request of two megabytes under way. When it is refused, half
    of them send it again at once, and half wait as long as they are told. PostgreSQL is slow: how
    fast senders and workers are beside each other on a few processors is a matter of chance.
    """
    slowest = 0.0
    seconds = _SECONDS if rounds >= _MANY_ROUNDS else _FEW_SECONDS
    with ground.running():
        ground.start("--workers", "2")
        assert ground.collector is not None
        for _round in range(rounds):
            load = _Load(ground, oracle, seconds)
            asyncio.run(load.run())
            if not load.is_enough:
                raise AssertionError(f"no overload: {load.stored} of {load.offered} were stored")
            slowest = max(slowest, wait_until_drained(ground))
            for pid, peak in _peaks(ground.collector).items():
                if peak > _MOST_MEMORY:
                    raise AssertionError(f"worker {pid} held {peak / 2**20:.0f} MiB")
    return slowest


class _Load:
    """A round of sending, in requests; it ends when it was long enough and ten times too much."""

    def __init__(self, ground: Field, oracle: Oracle, seconds: float) -> None:
        self.answers: Counter[grpc.StatusCode] = Counter()
        self._ground = ground
        self._oracle = oracle
        self._until = time.monotonic() + seconds
        self._give_up_at = time.monotonic() + RECOVERY_SECONDS

    @property
    def stored(self) -> int:
        return self.answers[grpc.StatusCode.OK]

    @property
    def offered(self) -> int:
        return self.answers.total()

    @property
    def is_enough(self) -> bool:
        return self.offered >= _TIMES * self.stored > 0

    async def run(self) -> None:
        """Send until it was enough."""
        database = await psycopg.AsyncConnection.connect(self._ground.database_url, autocommit=True)
        async with database:
            slow = asyncio.create_task(database.execute(_BE_SLOW))
            async with asyncio.TaskGroup() as senders:
                for number in range(_SENDERS):
                    senders.create_task(self._send(is_patient=number % 2 == 0))
            database.cancel()
            with suppress(psycopg.errors.QueryCanceled):
                await slow

    async def _send(self, *, is_patient: bool) -> None:
        """Send one request after the other, each until it is taken or the round is over."""
        # A channel of one's own, or all would share a connection, and with it a worker.
        options = [("grpc.use_local_subchannel_pool", 1)]
        async with grpc.aio.insecure_channel(self._ground.grpc, options=options) as channel:
            export: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(
                f"/{LOGS.service}/Export"
            )
            while self._goes_on():
                marks, request = self._oracle.issue("logs", _RECORDS)
                request += _FILLER
                while self._goes_on():
                    if await self._is_taken(export, request):
                        self._oracle.acknowledge(marks)
                        break
                    if is_patient:
                        await asyncio.sleep(_RETRY_SECONDS)

    def _goes_on(self) -> bool:
        now = time.monotonic()
        is_over = now > self._until and self.is_enough
        return not is_over and not self._oracle.refusals and now < self._give_up_at

    async def _is_taken(
        self, export: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes], request: bytes
    ) -> bool:
        code = grpc.StatusCode.OK
        try:
            await export(request, timeout=_DEADLINE_SECONDS)
        except grpc.aio.AioRpcError as error:
            code = error.code()
            if code not in RETRYABLE_GRPC:
                self._oracle.refusals.append(f"grpc {code}: {error.details()}")
        self.answers[code] += 1
        self._oracle.attempts["logs"] += 1
        return code is grpc.StatusCode.OK


def _filler() -> bytes:
    """Two megabytes of records that nobody asks for again; it goes behind any other request.

    Many small records are dear to store and no dearer to send, so that the senders keep ahead also
    where they get little of the processors.
    """
    attributes = [
        KeyValue(key=FILLER, value=AnyValue(bool_value=True)),
        KeyValue(key="padding", value=AnyValue(string_value="padding " * 40)),
    ]
    scope = ScopeLogs(log_records=[LogRecord(attributes=attributes)] * 5000)
    return ExportLogsServiceRequest(
        resource_logs=[ResourceLogs(scope_logs=[scope])]
    ).SerializeToString()


_FILLER = _filler()


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
