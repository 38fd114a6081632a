"""Decoding in a process of its own, which takes no time from this one's event loop and writers.

It is `python -m relayscope.collector.ingest.decoder` (`__main__.py`). Frames go both ways: requests
to its stdin, answers from its stdout, in the same order. It ends when its stdin ends, also when the
receiver dies.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import deque
from typing import TYPE_CHECKING

from relayscope.collector.errors import DecodingEnded
from relayscope.collector.ingest.decoder.frames import LENGTH, packed, unpacked

if TYPE_CHECKING:
    from relayscope.collector.ingest.decoder.open_requests import Job, Slice
    from relayscope.sanitizer import Rules

_logger = logging.getLogger(__name__)


class DecodingProcess:
    """A process that decodes, started when there is something to decode, also after one has died.

    To start takes a fifth of what the collector itself takes, and not each gets a large request.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked: deque[asyncio.Future[Slice]] = deque()
        self._starting = asyncio.Lock()

    async def go_on(self, key: int, job: Job | None, seconds: float) -> Slice:
        """As `OpenRequests.go_on`, in the process.

        Raises:
            RequestRefused: the request cannot be decoded.
            DecodingEnded: the process has ended meanwhile.
        """
        async with self._starting:
            if self._reading is None or self._reading.done():
                try:
                    await self._start()
                except OSError as error:
                    raise DecodingEnded(
                        f"the process that decodes cannot be started ({error.strerror}); try again"
                    ) from error
        assert self._process is not None  # noqa: S101 - just started
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        answer: asyncio.Future[Slice] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        # Not drained, so that the order stays: what is unread is bounded by the room for requests.
        self._process.stdin.write(packed((key, job, seconds)))
        return await answer

    async def close(self) -> None:
        """Let it end; nothing may be under way."""
        if self._process is None or self._reading is None:
            return
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.close()
        await self._reading

    async def _start(self) -> None:
        """Start the process, which is ready as soon as it answers."""
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "relayscope.collector.ingest.decoder"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        process.stdin.write(packed(self._rules))
        self._reading = asyncio.create_task(self._read(process))

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            while True:
                length = int.from_bytes(await process.stdout.readexactly(LENGTH))
                said = unpacked(await process.stdout.readexactly(length))
                answer = self._asked.popleft()
                if answer.done():  # who asked has been cancelled
                    continue
                if isinstance(said, Exception):
                    answer.set_exception(said)
                else:
                    answer.set_result(said)
        except asyncio.IncompleteReadError:
            code = await process.wait()
        unanswered, self._asked = self._asked, deque()
        if code or unanswered:
            _logger.error("decoding process died", extra={"pid": process.pid, "exit_code": code})
        for answer in unanswered:
            if not answer.done():
                answer.set_exception(DecodingEnded("the process that decodes ended; try again"))
