"""Requests that were stored before, looked up in the database."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from relayscope.storage import StorageUnavailable, Writer

if TYPE_CHECKING:
    from sqlalchemy import Engine

_TIMEOUT: Final = timedelta(seconds=1)

_PAUSE: Final = 5.0
"""Seconds in which a database that did not answer is not asked again."""


class StoredRequests:
    """Looks digests up, over a connection of its own."""

    def __init__(self, engine: Engine) -> None:
        """Prepare; nothing is connected yet."""
        self._writer = Writer(engine, timeout=_TIMEOUT)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relayscope-look-up")
        self._not_before = 0.0

    async def has(self, digest: bytes) -> bool:
        """Return whether a request is stored; False also if the database does not say."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._has, digest)

    def close(self) -> None:
        """End the thread and close the connection."""
        self._thread.shutdown()
        self._writer.close()

    def _has(self, digest: bytes) -> bool:
        if time.monotonic() < self._not_before:
            return False
        try:
            return self._writer.has(digest)
        except StorageUnavailable:
            # It will be found a duplicate when it is stored.
            self._not_before = time.monotonic() + _PAUSE
            return False
