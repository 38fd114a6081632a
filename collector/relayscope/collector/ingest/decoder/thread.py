"""Decoding in a thread of this process."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from relayscope.collector.ingest.decoder.open_requests import Job, OpenRequests, Slice

if TYPE_CHECKING:
    from relayscope.sanitizer import Sanitizer


class DecodingThread:
    """Decodes one slice after the other, while the event loop stays responsive."""

    def __init__(self, sanitizer: Sanitizer) -> None:
        self._opened = OpenRequests(sanitizer)
        # One thread: decoding is Python and gains nothing from more.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="relayscope-decode")

    async def go_on(self, key: int, job: Job | None, seconds: float) -> Slice:
        """As `OpenRequests.go_on`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._opened.go_on, key, job, seconds)

    async def close(self) -> None:
        """End the thread."""
        self._thread.shutdown()
