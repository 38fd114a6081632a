"""The requests that one thread or process decodes, each some way in."""

from __future__ import annotations

import math
import time
from collections import Counter
from dataclasses import dataclass, field
from time import monotonic
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from relayscope.collector.errors import DecodingEnded, TooLarge, TooSlow
from relayscope.collector.ingest.commit_group import items_in
from relayscope.collector.ingest.decode import Decoded, digest_of, steps

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from google.protobuf.message import Message

    from relayscope.collector.signals import Signal
    from relayscope.sanitizer import Sanitizer
    from relayscope.storage import Batch

    Parse: TypeAlias = Callable[[Signal, bytes], Message]


MOST_SECONDS: Final = 8.0
"""Upper bound of decoding a request: beyond it, it is late for its answer even alone."""


class Job(NamedTuple):
    """A request to decode, picklable.

    Attributes:
        signal: the signal that it carries.
        raw: its bytes, decompressed.
        parse: turns them into the signal's request message; a function of a module.
        until: on the monotonic clock, after which no step of it is begun but the last.
    """

    signal: Signal
    raw: bytes
    parse: Parse
    until: float = math.inf


class Rows(NamedTuple):
    """The rows that a request became.

    Attributes:
        batch: its rows.
        rejected: number of items that could not become rows, by reason.
        hits: number of secrets that the sanitizer took out, by rule.
    """

    batch: Batch
    rejected: Counter[str]
    hits: Counter[str]


class Slice(NamedTuple):
    """The result of one slice of time.

    Attributes:
        seconds: its duration.
        rows: of the request, if it is decoded now.
    """

    seconds: float
    rows: Rows | None


@dataclass(slots=True)
class _Open:
    decoded: Decoded
    steps: Iterator[None]
    until: float
    hits: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    is_late: bool = False

    def check(self) -> None:
        """Refuse a request that has had its time, has some rows and still has not come to its end.

        Raises:
            TooLarge: it is laborious itself. Its sender may halve it, so nothing of it is stored.
            TooSlow: others had the time.
        """
        if monotonic() <= self.until or not items_in(self.decoded.batch):
            return
        if not self.is_late:  # this may have been its last step
            self.is_late = True
        elif self.seconds > MOST_SECONDS:
            raise TooLarge("sanitizing this request takes too long: send fewer records at a time")
        else:
            raise TooSlow("too many requests are being sanitized; try again")


class OpenRequests:
    """Goes on with one request or another, for a slice of time each. Belongs to one thread."""

    def __init__(self, sanitizer: Sanitizer) -> None:
        self._sanitizer = sanitizer
        self._open: dict[int, _Open] = {}
        self._hits: Counter[str] = Counter()

    def go_on(self, key: int, job: Job | None, seconds: float) -> Slice:
        """Decode a request for about so long; longer where one step takes longer.

        Args:
            key: names the request.
            job: the request, the first time.
            seconds: after which no other step begins.

        Raises:
            RequestRefused: the request cannot be decoded.
        """
        began = time.perf_counter()
        try:
            if job is not None:
                self._open[key] = self._begin(job)
            request = self._opened(key)
            for _ in request.steps:
                request.check()
                if time.perf_counter() - began >= seconds:
                    break
            else:
                del self._open[key]
                self._count(request)
                rows = Rows(request.decoded.batch, request.decoded.rejected, request.hits)
                return Slice(time.perf_counter() - began, rows)
        except BaseException:
            self._open.pop(key, None)
            raise
        self._count(request)
        spent = time.perf_counter() - began
        request.seconds += spent
        return Slice(spent, None)

    def _opened(self, key: int) -> _Open:
        request = self._open.get(key)
        if request is None:
            raise DecodingEnded("the process that decodes was replaced; try again")
        return request

    def _begin(self, job: Job) -> _Open:
        request = job.parse(job.signal, job.raw)
        digest = digest_of(job.signal, job.raw)
        decoded = Decoded(digest, self._sanitizer, time.time_ns())
        return _Open(decoded, steps(job.signal, request, decoded), job.until)

    def _count(self, request: _Open) -> None:
        # Nobody else uses the sanitizer, so what is new among its hits is this request's.
        hits = Counter(self._sanitizer.hits())
        request.hits.update(hits - self._hits)
        self._hits = hits
