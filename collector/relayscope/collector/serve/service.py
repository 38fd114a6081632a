"""One receiver process: both listeners, the pipeline and the writer, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import sys
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final
from uuid import uuid4

import uvicorn
from sqlalchemy.exc import SQLAlchemyError

from relayscope.collector.errors import StartError
from relayscope.collector.ingest.commit_group import CommitGroup
from relayscope.collector.ingest.decoder import Decoder, DecodingProcess, DecodingThread
from relayscope.collector.ingest.health import Health
from relayscope.collector.ingest.inflight_limit import InflightLimit
from relayscope.collector.ingest.outage import Outage
from relayscope.collector.ingest.pipeline import Lane, Pipeline
from relayscope.collector.ingest.stored_requests import StoredRequests
from relayscope.collector.internal_telemetry.collector_metrics import CollectorMetrics
from relayscope.collector.internal_telemetry.component_class import ComponentClasses
from relayscope.collector.receive import grpc as grpc_receiver
from relayscope.collector.receive import http as http_receiver
from relayscope.collector.receive.access import Access
from relayscope.collector.receive.admission import Admission
from relayscope.collector.receive.http_protocol import DeadlineH11Protocol
from relayscope.collector.receive.level_routes import level_routes
from relayscope.collector.receive.refusal_log import RefusalLog
from relayscope.collector.serve import ports, tls
from relayscope.sanitizer import Sanitizer
from relayscope.spool import SpoolError
from relayscope.storage import Writer, create_engine, measure_database, store_samples

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator

    from sqlalchemy import Engine

    from relayscope.collector.serve.worker_config import WorkerConfig

_logger = logging.getLogger(__name__)

_GARBAGE_THRESHOLD: Final = 20_000
"""Containers made between two looks for cycles, instead of 700."""

_SWITCH_SECONDS: Final = 0.001
"""Time after which a thread gives the interpreter to another that waits, instead of 5 ms. A small
record goes through four threads: beside a sender of texts of 1 MiB, its p99 was 25 ms, and 14 with
0.5 ms, which storing as much as possible does not notice (59,000 records a second, 56,000 to 59,000
with 0.5 ms)."""

_LOOK_SECONDS: Final = 1.0
"""Period in which gauges are brought up to date."""

_REPORT_SECONDS: Final = 10.0
"""Period in which the metrics are stored."""

_WRITE_SHARE: Final = 0.75
"""Share of the time for an answer that one write may take; the rest is for decoding."""


async def run(config: WorkerConfig, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Receive and store until told to stop, then finish what is under way.

    Args:
        config: addresses, rules and database.
        stop: ends listening once it is set.
        ready: called once both listeners listen.

    Raises:
        StartError: an address cannot be used, or a certificate.
    """
    settings = config.settings
    _collect_garbage_less_often()
    sys.setswitchinterval(_SWITCH_SECONDS)
    metrics = CollectorMetrics(ComponentClasses(settings.component_classes))
    engine = create_engine(config.database_url)
    write_timeout = timedelta(seconds=settings.answer_timeout * _WRITE_SHARE)
    width = settings.partition_width
    # Each has a connection of its own, so that no one waits for another's large transaction.
    small_writer, large_writer, drain_writer = writers = [
        Writer(engine, timeout=write_timeout, partition_width=width) for _ in range(3)
    ]
    stored_requests = StoredRequests(engine)
    try:
        outage = Outage(
            drain_writer.write,
            settings.data_dir / "outage",
            settings.outage_max_bytes,
            metrics,
        )
    except SpoolError as error:
        raise StartError(f"{settings.data_dir / 'outage'}: {error}") from None
    small = Lane(
        Decoder(DecodingThread(Sanitizer.from_rules(config.rules))),
        CommitGroup(partial(outage.write, small_writer.write), metrics.committed),
    )
    large = Lane(
        Decoder(DecodingProcess(config.rules)),
        CommitGroup(partial(outage.write, large_writer.write), metrics.committed),
    )
    pipeline = Pipeline(small, large, stored_requests.has, metrics, settings.answer_timeout)
    largest = max(settings.grpc_max_message, settings.http_max_body)
    kept = min(settings.grpc_max_message, settings.max_in_flight - largest)
    inflight_limit = InflightLimit(settings.max_in_flight, kept)
    admission = Admission(Access(settings.tokens), inflight_limit, pipeline, metrics, RefusalLog())
    health = Health(engine, outage)

    grpc_server = grpc_receiver.make_server(admission, settings)
    grpc_receiver.listen(grpc_server, settings.grpc, tls.grpc_credentials(settings))
    http_server = _HttpServer(
        uvicorn.Config(
            http_receiver.make_app(
                admission, health, settings, level_routes(engine, admission, settings)
            ),
            http=partial(DeadlineH11Protocol, settings.receive_timeout),  # type: ignore[arg-type]  # called like a class
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            limit_concurrency=settings.max_connections,
            timeout_graceful_shutdown=int(settings.stop_timeout),
            **tls.uvicorn_options(settings),
        )
    )
    await health.look()
    looking = [
        asyncio.create_task(health.watch()),
        asyncio.create_task(_look(metrics, inflight_limit, health)),
        asyncio.create_task(_report(metrics, engine)),
    ]
    draining = contextlib.ExitStack()
    await asyncio.to_thread(draining.enter_context, outage)
    await grpc_server.start()
    serving_http = asyncio.create_task(http_server.serve(sockets=[ports.share(settings.http)]))
    await http_server.listening.wait()
    ready()

    await stop.wait()
    http_server.should_exit = True
    await asyncio.gather(grpc_server.stop(settings.stop_timeout), serving_http)
    await pipeline.drain()
    await asyncio.to_thread(draining.close)
    for task in looking:
        task.cancel()
    stored_requests.close()
    for writer in writers:
        writer.close()
    engine.dispose()


def stop_on_signals() -> asyncio.Event:
    """Return an event that SIGTERM, SIGINT and SIGHUP (a closed terminal) set from now on.

    Whoever ignores SIGHUP, as `nohup` does, goes on ignoring it.
    """
    stop = asyncio.Event()
    numbers = [signal.SIGTERM, signal.SIGINT]
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    for number in numbers:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop


async def _look(metrics: CollectorMetrics, inflight_limit: InflightLimit, health: Health) -> None:
    while True:
        metrics.waiting(health.waiting)
        metrics.state(in_flight=inflight_limit.taken, ready=health.ready)
        await asyncio.sleep(_LOOK_SECONDS)


async def _report(metrics: CollectorMetrics, engine: Engine) -> None:
    """Store the metrics, for those who ask with SQL."""
    process = uuid4()

    def report() -> None:
        metrics.database(measure_database(engine))
        store_samples(engine, process, metrics.samples())

    while True:
        # An absent database says nothing of itself; the figures are on /metrics meanwhile.
        with contextlib.suppress(SQLAlchemyError):
            await asyncio.to_thread(report)
        await asyncio.sleep(_REPORT_SECONDS)


def _collect_garbage_less_often() -> None:
    """Look for cycles less often: rows have none, and the search took 5 % of a record's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD, 20, 20)


class _HttpServer(uvicorn.Server):
    """uvicorn without its signal handlers, and with a word when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()
