"""The page's process: `python -m relayscope.collector.page DESCRIPTOR`.

The descriptor is that of a socket which listens. The configuration comes on stdin; its end tells
it to stop, also when the parent dies.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import socket
import sys
from typing import Final

import uvicorn

from relayscope.collector.errors import StartError
from relayscope.collector.internal_telemetry import json_log as log
from relayscope.collector.page import make_page
from relayscope.collector.serve import tls
from relayscope.collector.serve.worker_config import PageConfig, unpack
from relayscope.storage import NICENESS

_logger = logging.getLogger(__name__)

_STDIN: Final = 0

_MOST_CONNECTIONS: Final = 200

_STOP_SECONDS: Final = 2
"""Seconds that a page may still take once the collector stops."""


_GARBAGE_THRESHOLD: Final = 20_000
"""As in the collector's other processes."""


async def _serve(config: PageConfig, listening: socket.socket) -> None:
    server = uvicorn.Server(
        uvicorn.Config(
            make_page(config),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            # Who is at the other end is who connects: no header of theirs says otherwise.
            proxy_headers=False,
            limit_concurrency=_MOST_CONNECTIONS,
            timeout_graceful_shutdown=_STOP_SECONDS,
            **tls.uvicorn_options(config.settings),
        )
    )
    _collect_garbage_less_often()

    def stop() -> None:
        server.should_exit = True

    # Nothing more is sent: readable means closed.
    asyncio.get_running_loop().add_reader(_STDIN, stop)
    await server.serve(sockets=[listening])


def _collect_garbage_less_often() -> None:
    """Leave what was imported out of the search for cycles: it took 100 ms of every other trace."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD, 20, 20)


def _main() -> None:
    log.configure()
    os.nice(NICENESS)
    try:
        config: PageConfig = unpack(_STDIN)
    except StartError as error:
        _logger.critical(str(error))
        sys.exit(1)
    asyncio.run(_serve(config, socket.socket(fileno=int(sys.argv[1]))))


if __name__ == "__main__":
    _main()
