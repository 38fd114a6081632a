"""The process that shows the page: started when somebody first connects, and again if it dies.

So the page costs nothing until somebody looks, and its work is never done by a receiver's
interpreter. What is connected meanwhile waits in the socket, which is the parent's.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from typing import TYPE_CHECKING, Final

from relayscope.collector.serve.worker_config import pack

if TYPE_CHECKING:
    import socket

    from relayscope.collector.serve.worker_config import PageConfig

_logger = logging.getLogger(__name__)

_PAUSE: Final = 1.0
"""Seconds before a dead one is replaced, so that one that cannot live does not eat a core."""

_PATIENCE: Final = 10.0
"""Seconds that it may take to end; then it is killed."""


async def keep_page(config: PageConfig, listening: socket.socket) -> None:
    """Have the page shown until cancelled.

    Args:
        config: Configuration of the process.
        listening: Listens at its address.
    """
    while True:
        await _connected(listening)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "relayscope.collector.page", str(listening.fileno())),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            pass_fds=[listening.fileno()],
            # Ctrl-C is for the parent, which tells it.
            process_group=0,
        )
        try:
            await _tell(process, pack(config))
            code = await process.wait()
        finally:
            await asyncio.shield(_stop(process))
        _logger.error("the page's process died", extra={"pid": process.pid, "exit_code": code})
        await asyncio.sleep(_PAUSE)


async def _connected(listening: socket.socket) -> None:
    """Wait until somebody connects, whom the process will accept."""
    loop = asyncio.get_running_loop()
    connected = asyncio.Event()
    loop.add_reader(listening.fileno(), connected.set)
    try:
        await connected.wait()
    finally:
        loop.remove_reader(listening.fileno())


async def _tell(process: asyncio.subprocess.Process, packed: bytes) -> None:
    if process.stdin is None:
        raise RuntimeError("the process has no stdin")
    try:
        process.stdin.write(packed)
        await process.stdin.drain()
    except ConnectionError:
        pass  # It is dead already, and has said why.


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_PATIENCE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
