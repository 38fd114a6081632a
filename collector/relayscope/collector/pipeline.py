"""From a received request to its answer, the same for every transport."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

from relayscope.collector.backpressure import Backpressure
from relayscope.collector.commit_group import items_in
from relayscope.collector.decode import Decoded, decode
from relayscope.collector.errors import TooSlow, Unavailable
from relayscope.collector.outage import Spooled
from relayscope.collector.status import success
from relayscope.storage import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from google.protobuf.message import Message

    from relayscope.collector.commit_group import CommitGroup
    from relayscope.collector.figures import Figures
    from relayscope.collector.room import Reservation
    from relayscope.collector.signals import Signal
    from relayscope.sanitizer import Sanitizer

    Parse = Callable[[Signal, bytes], Message]

_DECODED_ITEMS: Final = 5_000
"""Items that are decoded and not stored yet, beyond which decoding waits. A decoded record takes
2 to 3 kB (8 attributes, 420 B body), its request 0.7 kB: requests wait as they came. 15,000 store
no more per second, and make decoding 10 % dearer because they do not fit into the caches."""


class Pipeline:
    """Decodes, stores and answers. Belongs to one event loop."""

    def __init__(
        self,
        sanitizer: Sanitizer,
        commit_group: CommitGroup,
        figures: Figures,
        answer_timeout: float,
    ) -> None:
        self._sanitizer = sanitizer
        self._figures = figures
        self._commit_group = commit_group
        self._answer_timeout = answer_timeout
        # One thread: decoding is Python and gains nothing from more, and the loop stays responsive.
        self._decoder = ThreadPoolExecutor(1, thread_name_prefix="relayscope-decode")
        self._storing: set[asyncio.Task[Counter[str]]] = set()
        self._decoded = Backpressure(_DECODED_ITEMS)
        self._hits: Counter[str] = Counter()

    async def accept(
        self, signal: Signal, raw: bytes, parse: Parse, reservation: Reservation
    ) -> Message:
        """Store one request; the answer is given after the commit.

        Args:
            signal: what the request holds.
            raw: its bytes, decompressed.
            parse: turns them into the signal's request message.
            reservation: holds room for `raw`; released here once its rows are stored or refused,
                which may be later than the answer.

        Raises:
            RequestRefused: the request was not stored, or not in time.
        """
        storing = asyncio.create_task(self._store(signal, raw, parse))
        self._storing.add(storing)

        def done(storing: asyncio.Task[Counter[str]]) -> None:
            self._storing.discard(storing)
            reservation.release()
            storing.exception()  # nobody else asks for it when the answer was given before

        storing.add_done_callback(done)
        try:
            # A client that hangs up or runs out of time does not undo what is under way.
            async with asyncio.timeout(self._answer_timeout):
                rejected = await asyncio.shield(storing)
        except TimeoutError:
            raise TooSlow("the database is slow; try again") from None
        return success(signal, rejected)

    async def drain(self) -> None:
        """Wait for everything under way."""
        if self._storing:
            await asyncio.wait(self._storing)
        self._decoder.shutdown()

    async def _store(self, signal: Signal, raw: bytes, parse: Parse) -> Counter[str]:
        """What could not be stored, by reason."""
        async with self._decoded.turn() as turn:
            decoded = await asyncio.get_running_loop().run_in_executor(
                self._decoder, self._decode, signal, raw, parse
            )
            turn.holds(items_in(decoded.batch))
            return await self._store_decoded(signal, decoded)

    async def _store_decoded(self, signal: Signal, decoded: Decoded) -> Counter[str]:
        batch, rejected = decoded.batch, decoded.rejected
        items = items_in(batch)
        if items:
            try:
                outcome = await self._commit_group.store(batch)
            except StorageUnavailable:
                raise Unavailable("neither database nor disk takes it; try again") from None
            if outcome.rejected:
                rejected[outcome.reason] += outcome.rejected
            became = "duplicate" if outcome.duplicate else "stored"
            if isinstance(outcome, Spooled):
                became = "spooled"
            self._figures.items(signal, batch, became, items - outcome.rejected)
        self._figures.rejected(signal, batch, rejected)
        return rejected

    def _decode(self, signal: Signal, raw: bytes, parse: Parse) -> Decoded:
        decoded = decode(signal, parse(signal, raw), raw, self._sanitizer, time.time_ns())
        # Nobody else uses the sanitizer, so what is new among its hits is this request's.
        hits = Counter(self._sanitizer.hits())
        self._figures.sanitized(signal, decoded.batch, hits - self._hits)
        self._hits = hits
        return decoded
