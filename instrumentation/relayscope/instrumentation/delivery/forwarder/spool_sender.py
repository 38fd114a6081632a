"""One spool on its way to the collector."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from relayscope.instrumentation.delivery.account_file import read_account
from relayscope.instrumentation.delivery.destinations.destination import (
    Destination,
    Misconfigured,
    Refused,
    Unavailable,
)
from relayscope.instrumentation.delivery.encoding.fields import (
    AccountFields,
    Fields,
    LogFields,
    SpanFields,
    unpack,
)
from relayscope.instrumentation.delivery.encoding.otlp import (
    LARGEST_REQUEST,
    Request,
    TooLarge,
    account_request,
    cut_log,
    cut_span,
    logs_request,
    split,
    traces_request,
)
from relayscope.instrumentation.delivery.origin import Origin
from relayscope.spool import LossReason, SpoolReader

from .delivery_totals import FAILED, REFUSED, REJECTED, DeliveryTotals
from .outbox import Consignment, Outbox
from .set_aside import Part, SetAsideRequest, SetAsideRequests

_log = logging.getLogger(__name__)

_RECORDS: Final = 2048
_BYTES: Final = 2 * 2**20
"""Upper bound of spool bytes per request; OTLP adds a quarter."""

# A request that follows at once takes the processor from the relay again. A relay's slowest calls
# with a collector, beside those without (p99; 5 processes of 1000 calls, 12 of 400): an eighth
# 0.92 and 1.17 times as long, a half 1.00 and 1.05. (The forwarder had a session of its own then:
# see `launch/launcher.py`.)
_MANY_RECORDS: Final = _RECORDS // 2
_MANY_BYTES: Final = _BYTES // 2
"""A request this large is not followed by another before the next look at the spool."""


_SLOW_SECONDS: Final = 1.0
_QUICK_TRIES: Final = 3
"""A receiver that gives a request up after a second has worked on it. One that answers at once that
it is busy is asked a few times more before other requests are tried."""


class SpoolSender:
    """Sends what one reader reads, request by request; never twice under different bytes.

    Attributes:
        idle: True if nothing waited when it was asked last.
        is_behind: True if so much waited then that the next request should not be waited for.
    """

    def __init__(self, reader: SpoolReader, component: str) -> None:
        """Take over what a reader reads.

        Raises:
            ValueError: Another version of relayscope has begun to send it.
        """
        self._reader = reader
        self.folder = reader.folder
        self.origin = Origin.unpack(reader.writer_info) or Origin.of_component(component)
        self._outbox = Outbox(reader.folder)
        self._heard = b""
        self.idle = False
        self.is_behind = False
        self.rest_is_lost = False
        self._pending: Consignment | None = None
        self._tries = 0
        self._asides = SetAsideRequests(reader.folder)
        saved = self._outbox.load()
        self._totals = DeliveryTotals() if saved is None else saved.totals
        if saved is not None and saved.end > reader.acknowledged:
            # A forwarder that died while it set one aside has left it in both places.
            saved.requests = [each for each in saved.requests if each not in self._asides]
            self._pending = saved

    @property
    def busy(self) -> bool:
        """True while requests are being sent that the spool may not have any more."""
        return self._pending is not None

    @property
    def has_aside(self) -> bool:
        """True while a request is set aside that the receiver did not take in time."""
        return bool(self._asides)

    @property
    def seconds_left(self) -> float:
        """Seconds until something that is set aside is tried again."""
        return min((aside.seconds_left for aside in self._asides), default=0.0)

    @property
    def owes_an_end(self) -> bool:
        """True if its process has emitted something, and nobody has said that it emits no more."""
        totals = self._totals
        return bool(totals.emitted) and not totals.ended and not totals.gone

    def forward(self, destination: Destination) -> int | None:
        """Send what comes next.

        Returns:
            The number of those records; None if nothing waits.

        Raises:
            Unavailable: The destination is; call again, later.
            SpoolError: The disk refuses.
        """
        if self._pending is None:
            for aside in self._asides:
                if aside.seconds_left <= 0:
                    return self._try_again(aside, destination)
        consignment = self._pending or self._cut()
        self.idle = consignment is None
        if consignment is None:
            return None
        self._pending = consignment
        sent = 0
        while consignment.requests:
            sent += self._send(consignment, destination)
            if not consignment.requests and consignment.untold:
                self._tell(consignment)
        self._save(consignment)
        self._acknowledge(consignment)
        self._pending = None
        return sent + consignment.accounts

    def lose_rest(self, records: int) -> None:
        """Count the records at the torn end of a spool, which cannot be read."""
        self.rest_is_lost = True
        self._totals.dropped[LossReason.TORN.value] += records
        self._tell_alone()

    def end_for(self) -> None:
        """Say, in place of a process that is gone, that it emits nothing more."""
        self._totals.gone = True
        self._tell_alone()

    def close(self) -> None:
        """Let another forwarder have the spool."""
        self._reader.close()

    def _send(self, consignment: Consignment, destination: Destination) -> int:
        request = consignment.requests[0]
        began = time.monotonic()
        try:
            halves = self._deliver(request, destination, consignment)
        except Misconfigured:
            raise
        except Unavailable as error:
            self._tries += 1
            took = time.monotonic() - began
            is_due = took >= _SLOW_SECONDS or self._tries >= _QUICK_TRIES
            if not request.records or not is_due or not self._asides.has_room:
                raise
            self._prove(destination)
            self._set_aside(request, took, error)
            del consignment.requests[0]
            self._save(consignment)
            return 0
        self._tries = 0
        consignment.requests[:1] = halves
        if halves:
            self._save(consignment)
            return 0
        return request.records

    def _deliver(
        self, request: Request, destination: Destination, consignment: Consignment
    ) -> list[Request]:
        """Send a request, and count its records; return its halves if it was refused as a whole."""
        try:
            answer = destination.send(request)
        except Refused as refused:
            if request.records > 1:
                # One of them may be what the receiver does not like, or all together are too large.
                return split(request)
            _log.warning("refused for good, dropped: %s", refused)
            self._drop(REFUSED, request.records, consignment)
        else:
            if answer.message:
                _log.warning("%d records rejected: %s", answer.rejected, answer.message)
            rejected = min(answer.rejected, request.records)
            self._totals.acknowledged += request.records - rejected
            self._drop(REJECTED, rejected, consignment)
        return []

    def _set_aside(self, request: Request, took: float, error: Unavailable) -> None:
        """Let others go round a request, which the receiver does not take although it takes others.

        Raises:
            Unavailable: There is no room for it aside.
        """
        try:
            self._asides.add(request, took)
        except OSError:
            raise error from None
        self._tries = 0
        _log.warning("%d records are set aside, and others go on: %s", request.records, error)

    def _try_again(self, aside: SetAsideRequest, destination: Destination) -> int:
        """Send the first part of a request that is set aside and due."""
        consignment = Consignment(self._reader.acknowledged, self._totals)
        try:
            parts = aside.load()
        except ValueError:
            _log.exception("what was set aside cannot be read")
            self._drop(FAILED, 1, consignment)
            self._done(aside, consignment)
            return 0
        part = min(parts, key=lambda part: part.seconds_left)
        place = parts.index(part)
        sent = 0
        began = time.monotonic()
        try:
            halves = self._deliver(part.request, destination, consignment)
            parts[place : place + 1] = [Part(half, 0, 0.0) for half in halves]
            sent = 0 if halves else part.request.records
        except Misconfigured:
            raise
        except Unavailable:
            took = time.monotonic() - began
            self._prove(destination)
            parts[place : place + 1] = part.put_off(took)
        if parts:
            self._save(consignment)
            aside.keep(parts)
        else:
            self._done(aside, consignment)
        return sent

    def _done(self, aside: SetAsideRequest, consignment: Consignment) -> None:
        """Add the fate of records that were set aside to the account."""
        self._pending = consignment
        self._tell(consignment)
        self._asides.remove(aside)

    def _prove(self, destination: Destination) -> None:
        """Return if the receiver takes a record that is small, on the same way as all others.

        Raises:
            Unavailable: It does not.
        """
        try:
            destination.send(self._account())
        except Refused as refused:
            raise Unavailable(str(refused)) from None

    def _tell_alone(self) -> None:
        """Let the account be what is sent next, with no records before it."""
        self._pending = Consignment(self._reader.acknowledged, self._totals)
        self._tell(self._pending)

    def _tell(self, consignment: Consignment) -> None:
        """Let the account follow the records that it is about."""
        consignment.untold = False
        consignment.requests.append(self._account())
        self._save(consignment)

    def _account(self) -> Request:
        return account_request(self._totals.attributes(), time.time_ns(), self.origin.resource)

    def _save(self, consignment: Consignment) -> None:
        consignment.totals = replace(self._totals)
        self._outbox.save(consignment)

    def _drop(self, reason: str, records: int, consignment: Consignment) -> None:
        if records:
            self._totals.dropped[reason] += records
            consignment.untold = True

    def _cut(self) -> Consignment | None:
        """Make the next requests, and keep them before they are sent."""
        batch = self._reader.read(self._reader.acknowledged, _RECORDS, _BYTES)
        self.is_behind = (
            len(batch.records) >= _MANY_RECORDS or sum(map(len, batch.records)) >= _MANY_BYTES
        )
        news = self._hear()
        if not batch.records and not batch.losses and not news:
            return None
        consignment = Consignment(batch.end, self._totals, untold=news or bool(batch.losses))
        self._totals.lose(batch.losses)
        logs: list[LogFields] = []
        spans: list[SpanFields] = []
        for record in batch.records:
            match self._read(record, consignment):
                case LogFields() as fields:
                    logs.append(fields)
                case SpanFields() as fields:
                    spans.append(fields)
                case AccountFields() as account:
                    self._totals.hear(account)
                    consignment.untold = True
                    consignment.accounts += 1
        numbers = [*(fields.number for fields in logs), *(fields.number for fields in spans)]
        self._totals.emitted = max([self._totals.emitted, *numbers])
        resource = self.origin.resource
        consignment.requests = [
            *self._fitting(
                spans, lambda some: traces_request(some, resource), self._cut_span, consignment
            ),
            *self._fitting(
                logs, lambda some: logs_request(some, resource), self._cut_log, consignment
            ),
        ]
        if consignment.untold and not consignment.requests:
            self._tell(consignment)
        self._save(consignment)
        return consignment

    def _hear(self) -> bool:
        """Hear what the process says beside its spool; return whether that is news."""
        said = read_account(self.folder)
        if said == self._heard:
            return False
        self._heard = said
        account = unpack(said)
        return isinstance(account, AccountFields) and self._totals.hear(account)

    def _read(self, record: bytes, consignment: Consignment) -> Fields | None:
        try:
            return unpack(record)
        except ValueError:
            _log.exception("a record cannot be read")
            self._drop(FAILED, 1, consignment)
            return None

    def _fitting(
        self,
        records: Sequence[Any],
        encode: Callable[[Sequence[Any]], Request],
        cut: Callable[[Any], Request],
        consignment: Consignment,
    ) -> list[Request]:
        """Return requests of these records that are small enough."""
        if not records:
            return []
        try:
            request = encode(records)
            if len(request.body) <= LARGEST_REQUEST:
                return [request]
            if len(records) == 1:
                return [cut(records[0])]
        except (TooLarge, ValueError, TypeError, OverflowError):
            # Something in a record does not fit into OTLP's types.
            if len(records) == 1:
                _log.exception("a record cannot be encoded")
                self._drop(FAILED, 1, consignment)
                return []
        half = len(records) // 2
        return [
            *self._fitting(records[:half], encode, cut, consignment),
            *self._fitting(records[half:], encode, cut, consignment),
        ]

    def _cut_log(self, fields: LogFields) -> Request:
        return cut_log(fields, self.origin.resource)

    def _cut_span(self, fields: SpanFields) -> Request:
        return cut_span(fields, self.origin.resource)

    def _acknowledge(self, consignment: Consignment) -> None:
        # After a restart the reader has not read this far, and acknowledges only what it has read.
        position = self._reader.furthest
        while position < consignment.end:
            batch = self._reader.read(position, _RECORDS, _BYTES)
            if batch.end == position:
                break
            position = batch.end
        self._reader.acknowledge(min(position, consignment.end))
