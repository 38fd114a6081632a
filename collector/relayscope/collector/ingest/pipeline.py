"""From a received request to its answer, the same for every transport."""

from __future__ import annotations

import asyncio
import time
from traceback import clear_frames
from typing import TYPE_CHECKING, Final, NamedTuple

from relayscope.collector.errors import TooSlow, Unavailable
from relayscope.collector.ingest.commit_group import items_in
from relayscope.collector.ingest.decode import digest_of
from relayscope.collector.ingest.outage import Spooled
from relayscope.collector.ingest.recent_answers import Answer, RecentAnswers
from relayscope.storage import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from relayscope.collector.ingest.commit_group import CommitGroup
    from relayscope.collector.ingest.decoder import Decoder, Job
    from relayscope.collector.ingest.decoder.open_requests import Rows
    from relayscope.collector.ingest.inflight_limit import Reservation
    from relayscope.collector.internal_telemetry.collector_metrics import CollectorMetrics
    from relayscope.collector.signals import Signal

    IsStored = Callable[[bytes], Awaitable[bool]]

LARGE: Final = 32 * 2**10
"""Bytes of a request from which on it goes the way of the large ones: it takes up to 16 ms to
decode, where 0.3 ms on the way to another process are not much."""

_TIMES: Final = 2
"""Upper bound of decoding a request of several records, in times of its answer. A
second try may find it decoded; who is refused twice sends it in halves, and it must not be stored
beside them."""


class Lane(NamedTuple):
    """A way of its own for requests of one kind, so that the others do not wait behind them."""

    decoder: Decoder
    commit_group: CommitGroup

    async def close(self) -> None:
        """End, with nothing under way."""
        await self.decoder.close()
        await self.commit_group.close()


class _UnderWay:
    """A request that has no answer yet, and what it waits for."""

    def __init__(self, signal: Signal, lane: Lane) -> None:
        self.signal = signal
        self.lane = lane
        self.is_decoded = False
        self.answer: asyncio.Task[Answer]

    def reason(self) -> str:
        """Return the reason for the delay, as the client is told it."""
        if self.is_decoded or self.lane.decoder.waits_for_storage:
            return "the database is slow; try again"
        return "this request is still being sanitized; try again: a repeat is not begun anew"


class Pipeline:
    """Decodes, stores and answers. Belongs to one event loop."""

    def __init__(
        self,
        small: Lane,
        large: Lane,
        is_stored: IsStored,
        metrics: CollectorMetrics,
        answer_timeout: float,
    ) -> None:
        """Prepare.

        Args:
            small: The way of the small requests.
            large: The way of the large ones.
            is_stored: Looks a digest up in the database; False also if it cannot tell now.
            metrics: Told what became of each request.
            answer_timeout: Seconds after which a client is told to try again.
        """
        self._small = small
        self._large = large
        self._is_stored = is_stored
        self._metrics = metrics
        self._answer_timeout = answer_timeout
        self._under_way: dict[bytes, _UnderWay] = {}
        self._recent_answers = RecentAnswers()

    async def accept(self, sender: str, job: Job, reservation: Reservation) -> Mapping[str, int]:
        """Store one request; return after the commit what could not be stored, by reason.

        A request that is under way already, or was answered a moment ago, is not decoded again: it
        gets the answer of the first.

        Args:
            sender: The connection that it comes over: large requests take turns by sender.
            job: The request.
            reservation: Holds room for it; released here once its rows are stored or refused,
                which may be later than the answer.

        Raises:
            RequestRefused: the request was not stored, or not in time.
        """
        signal = job.signal
        digest = digest_of(signal, job.raw)
        under_way = self._under_way.get(digest)
        answer = None
        if under_way is None:
            answer = self._recent_answers.get(digest)
            if answer is None:
                under_way = self._begin(digest, sender, job, reservation)
                return (await self._answer(under_way)).rejected
        reservation.release()
        if answer is None:
            assert under_way is not None  # noqa: S101 - one of the two there is
            answer = await self._answer(under_way)
        self._metrics.items(signal, answer.component_class, "duplicate", answer.items)
        return answer.rejected

    async def drain(self) -> None:
        """Wait for everything under way."""
        if self._under_way:
            await asyncio.wait([each.answer for each in self._under_way.values()])
        await self._small.close()
        await self._large.close()

    def _begin(self, digest: bytes, sender: str, job: Job, reservation: Reservation) -> _UnderWay:
        is_large = len(job.raw) >= LARGE
        under_way = _UnderWay(job.signal, self._large if is_large else self._small)
        under_way.answer = asyncio.create_task(
            self._store(under_way, sender, job, digest if is_large else None)
        )
        self._under_way[digest] = under_way

        def done(storing: asyncio.Task[Answer]) -> None:
            del self._under_way[digest]
            reservation.release()
            # Also where nobody asks for it any more, when the answer was given before.
            if storing.cancelled():
                return
            if (error := storing.exception()) is not None:
                # It and its frames hold each other, and the request, which counts no more.
                clear_frames(error.__traceback__)
            else:
                self._recent_answers.remember(digest, storing.result())

        under_way.answer.add_done_callback(done)
        return under_way

    async def _answer(self, under_way: _UnderWay) -> Answer:
        try:
            # A client that hangs up or runs out of time does not undo what is under way.
            async with asyncio.timeout(self._answer_timeout):
                return await asyncio.shield(under_way.answer)
        except TimeoutError:
            raise TooSlow(under_way.reason()) from None

    async def _store(
        self, under_way: _UnderWay, sender: str, job: Job, look_up: bytes | None
    ) -> Answer:
        # Asking takes the time in which a small request is decoded.
        if look_up is not None and await self._is_stored(look_up):
            return Answer({}, "", 0)
        until = time.monotonic() + _TIMES * self._answer_timeout
        async with under_way.lane.decoder.decoded(sender, job._replace(until=until)) as rows:
            under_way.is_decoded = True
            return await self._store_rows(job.signal, under_way.lane, rows)

    async def _store_rows(self, signal: Signal, lane: Lane, rows: Rows) -> Answer:
        batch, rejected = rows.batch, rows.rejected
        component_class = self._metrics.class_of(batch)
        self._metrics.sanitized(signal, component_class, rows.hits)
        items = items_in(batch)
        if items:
            try:
                outcome = await lane.commit_group.store(batch)
            except StorageUnavailable as error:
                raise Unavailable(str(error)) from None
            if outcome.rejected:
                rejected[outcome.reason] += outcome.rejected
                items -= outcome.rejected
            became = "duplicate" if outcome.duplicate else "stored"
            if isinstance(outcome, Spooled):
                became = "spooled"
            self._metrics.items(signal, component_class, became, items)
        self._metrics.rejected(signal, component_class, rejected)
        return Answer(rejected, component_class, items)
