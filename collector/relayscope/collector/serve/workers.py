"""Several receiver processes on the same two ports, and one parent that keeps their number.

Each worker is `python -m relayscope.collector.serve.workers`: what it needs comes through its
stdin, whose end tells it to stop, also when the parent dies; on stdout it says when it listens.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import tempfile
from typing import TYPE_CHECKING, Final

from prometheus_client.multiprocess import mark_process_dead

from relayscope.collector.errors import StartError
from relayscope.collector.internal_telemetry import json_log as log
from relayscope.collector.serve import service
from relayscope.collector.serve.worker_config import pack, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

    from relayscope.collector.serve.worker_config import WorkerConfig

_logger = logging.getLogger(__name__)

_STDIN: Final = 0

_ALLOCATION: Final = {"MALLOC_ARENA_MAX": "2"}
"""glibc gives each thread an arena, which keeps what was freed in it. Under overload a worker held
193 to 212 MiB at most; with two arenas 189 to 198 (three runs each, in turns; a slow machine)."""

_PAUSE: Final = 1.0
"""Seconds before a dead worker is replaced, so that one that cannot live does not eat a core."""


async def run(config: WorkerConfig, stop: asyncio.Event, ready: Callable[[], None]) -> None:
    """Keep the workers alive until told to stop, then wait for them to finish.

    Args:
        config: addresses, rules and database of each worker.
        stop: asks the workers to stop once it is set.
        ready: called once all workers listen.

    Raises:
        StartError: a worker did not start; it has logged why.
    """
    with tempfile.TemporaryDirectory(prefix="relayscope-metrics-") as metrics:
        slots = [_Slot(config, metrics) for _ in range(config.settings.workers)]
        try:
            async with asyncio.TaskGroup() as starting:
                for slot in slots:
                    starting.create_task(slot.start())
            ready()
            await asyncio.gather(*(slot.keep(stop) for slot in slots))
        except ExceptionGroup as group:
            raise group.exceptions[0] from None
        finally:
            await asyncio.gather(*(slot.stop() for slot in slots))


class _Slot:
    """One worker after another."""

    def __init__(self, config: WorkerConfig, metrics: str) -> None:
        self._config = pack(config)
        self._patience = 2 * config.settings.stop_timeout
        self._environment = _ALLOCATION | os.environ | {"PROMETHEUS_MULTIPROC_DIR": metrics}
        self._metrics_folder = metrics
        self._worker: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start a worker and wait until it listens."""
        self._worker = worker = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "relayscope.collector.serve.workers"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=self._environment,
        )
        assert worker.stdin is not None  # noqa: S101 - it is a pipe, see above
        assert worker.stdout is not None  # noqa: S101 - as well
        worker.stdin.write(self._config)
        if not await worker.stdout.readline():
            raise StartError("a worker did not start")

    async def keep(self, stop: asyncio.Event) -> None:
        """Replace the worker whenever it dies, until told to stop."""
        stopping = asyncio.create_task(stop.wait())
        while not stop.is_set():
            assert self._worker is not None  # noqa: S101 - started before
            dying = asyncio.create_task(self._worker.wait())
            await asyncio.wait({stopping, dying}, return_when=asyncio.FIRST_COMPLETED)
            if dying.done() and not stop.is_set():
                _logger.error(
                    "worker died", extra={"pid": self._worker.pid, "exit_code": dying.result()}
                )
                # Its counts stay; what it said about its present state does not hold any more.
                mark_process_dead(self._worker.pid, self._metrics_folder)  # type: ignore[no-untyped-call]  # it has no annotations
                await asyncio.sleep(_PAUSE)
                try:
                    await self.start()
                except StartError:
                    _logger.exception("worker did not start")
            else:
                dying.cancel()

    async def stop(self) -> None:
        """Let the worker finish what is under way."""
        if self._worker is None or self._worker.stdin is None:
            return
        self._worker.stdin.close()
        try:
            async with asyncio.timeout(self._patience):
                await self._worker.wait()
        except TimeoutError:
            self._worker.kill()
            await self._worker.wait()


async def _work(config: WorkerConfig) -> None:
    stop = service.stop_on_signals()
    # Nothing more is sent: readable means closed.
    asyncio.get_running_loop().add_reader(_STDIN, stop.set)
    await service.run(config, stop, lambda: print("listening", flush=True))  # noqa: T201 - the parent reads it


def _main() -> None:
    log.configure()
    try:
        config: WorkerConfig = unpack(_STDIN)
        asyncio.run(_work(config))
    except StartError as error:
        _logger.critical(str(error))
        sys.exit(1)


if __name__ == "__main__":
    _main()
