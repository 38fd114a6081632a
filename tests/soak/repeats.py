"""Scenarios in which requests hold what must not be stored: copies and poison (R8, R10)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import grpc
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)

from relayscope.collector.signals import LOGS, TRACES
from relayscope.storage import create_engine
from tests.fix_collector import export
from tests.soak.field import Field, wait_until_drained

if TYPE_CHECKING:
    import random

    from tests.fix_oracle import Oracle

_REQUESTS = 20
_COPIES = 4
_POISON = "poison"


def both_copies_at_once(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R8: the same bytes arrive at one moment, through both doors, at two workers."""
    with ground.running():
        ground.start("--workers", "2")
        collector = ground.collector
        assert collector is not None
        together = threading.Barrier(_COPIES)

        def send(door: int, signal: str, request: bytes) -> None:
            oracle.attempts[signal] += 1
            together.wait()
            if door % 2:
                assert collector.post(signal, request).status == 200
                return
            # A channel of its own, so that either worker may get it.
            options = [("grpc.use_local_subchannel_pool", 1)]
            with grpc.insecure_channel(ground.grpc, options=options) as channel:
                assert export(channel, LOGS if signal == "logs" else TRACES, request) == b""

        with ThreadPoolExecutor(_COPIES) as pool:
            for _ in range(rounds * _REQUESTS):
                signal = chance.choice(("logs", "traces"))
                marks, request = oracle.issue(signal)
                list(pool.map(send, range(_COPIES), [signal] * _COPIES, [request] * _COPIES))
                oracle.acknowledge(marks)
        wait_until_drained(ground)
    return 0.0


def poison_rows(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R10: PostgreSQL itself refuses a row here and there; it is counted, its neighbours stored."""
    engine = create_engine(ground.database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql(
            "create function relayscope_store.refuse_poison() returns trigger language plpgsql as"
            f" $$ begin if new::text like '%%{_POISON}%%' then"
            " raise exception 'poison' using errcode = '22000'; end if; return new; end $$;"
            " create trigger poison before insert on relayscope_store.log"
            " for each row execute function relayscope_store.refuse_poison()"
        )
    try:
        with ground.running():
            ground.start()
            with ThreadPoolExecutor(4) as pool:
                for _ in range(rounds):
                    poisons = [chance.randrange(3) for _ in range(_REQUESTS)]
                    list(pool.map(lambda count: _send_poison(ground, oracle, count), poisons))
            wait_until_drained(ground)
    finally:
        with engine.begin() as connection:
            connection.exec_driver_sql("drop function relayscope_store.refuse_poison() cascade")
        engine.dispose()
    return 0.0


def _send_poison(ground: Field, oracle: Oracle, count: int) -> None:
    """Send good log records, and among them so many that PostgreSQL refuses."""
    marks, request = oracle.issue("logs")
    message = ExportLogsServiceRequest.FromString(request)
    records = message.resource_logs[0].scope_logs[0].log_records
    for _ in range(count):
        records.add(time_unix_nano=records[0].time_unix_nano, severity_text=_POISON)
    records.sort(key=lambda record: record.trace_id[::-1])
    oracle.attempts["logs"] += 1
    with grpc.insecure_channel(ground.grpc) as channel:
        answer = export(channel, LOGS, message.SerializeToString())
    rejected = ExportLogsServiceResponse.FromString(answer).partial_success.rejected_log_records
    if rejected != count:
        raise AssertionError(f"{count} rows were poison, but {rejected} were refused")
    oracle.acknowledge(marks)
