"""One receiver process: both listeners, the pipeline and the writer, on one event loop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from datetime import timedelta
from typing import TYPE_CHECKING

import uvicorn

from relayscope.collector import ports
from relayscope.collector.access import Access
from relayscope.collector.commit_group import CommitGroup
from relayscope.collector.pipeline import Pipeline
from relayscope.collector.receive import grpc as grpc_receiver
from relayscope.collector.receive import http as http_receiver
from relayscope.collector.room import Room
from relayscope.sanitizer import Sanitizer
from relayscope.storage import Writer, create_engine

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    from relayscope.collector.settings import Settings

_logger = logging.getLogger(__name__)


class _HttpServer(uvicorn.Server):
    """uvicorn without its signal handlers: the service has its own."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listening.set()

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()


async def run(settings: Settings, database_url: str) -> None:
    """Receive and store until SIGTERM or SIGINT, then finish what is under way.

    Args:
        settings: with the real ports of both listeners.
        database_url: a migrated database.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)

    writer = Writer(
        create_engine(database_url), timeout=timedelta(seconds=settings.answer_timeout * 0.75)
    )
    commit_group = CommitGroup(writer.write)
    pipeline = Pipeline(Sanitizer.default(), commit_group, settings.answer_timeout)
    room = Room(settings.max_in_flight)
    access = Access(settings.tokens)

    grpc_server = grpc_receiver.make_server(pipeline, room, access, settings.grpc_max_message)
    grpc_receiver.listen(grpc_server, settings.grpc, None)
    http_server = _HttpServer(
        uvicorn.Config(
            http_receiver.make_app(pipeline, room, access, settings, lambda: True),
            log_config=None,
            ws="none",
            lifespan="off",
            server_header=False,
            timeout_graceful_shutdown=int(settings.stop_timeout),
        )
    )
    await grpc_server.start()
    http = asyncio.create_task(http_server.serve(sockets=[ports.share(settings.http)]))
    await http_server.listening.wait()
    _logger.info("listening", extra={"protocol": "otlp/grpc", "address": str(settings.grpc)})
    _logger.info("listening", extra={"protocol": "http", "address": str(settings.http)})
    _logger.info("ready")

    await stop.wait()
    _logger.info("stopping")
    http_server.should_exit = True
    await asyncio.gather(grpc_server.stop(settings.stop_timeout), http)
    await pipeline.drain()
    await commit_group.close()
    writer.close()
    _logger.info("stopped")
