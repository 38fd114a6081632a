"""One spool on its way to the collector."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

from relayscope.spool import LossReason, Reader

from .account_file import read_account
from .destination import Destination, Refused
from .origin import Origin
from .otlp import (
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
from .outbox import Consignment, Outbox
from .record import AccountFields, Fields, LogFields, SpanFields, unpack
from .tally import FAILED, REFUSED, REJECTED, Tally

_log = logging.getLogger(__name__)

_RECORDS: Final = 2048
_BYTES: Final = 2 * 2**20
"""Of the spool, what makes a request at most: as OTLP it is a quarter larger."""

# A request that follows at once takes the processor from the relay again. A relay's slowest calls
# with a collector, beside those without (p99; 5 processes of 1000 calls, 12 of 400): an eighth
# 0.92 and 1.17 times as long, a half 1.00 and 1.05. (The forwarder had a session of its own then:
# see `launcher.py`.)
_MANY_RECORDS: Final = _RECORDS // 2
_MANY_BYTES: Final = _BYTES // 2
"""As much may come again before the next look at the spool."""


class Lane:
    """Sends what one reader reads, request by request; never twice under different bytes.

    Attributes:
        idle: Whether nothing waited when it was asked last.
        is_behind: Whether so much waited then that the next request should not be waited for.
    """

    def __init__(self, reader: Reader, component: str) -> None:
        self._reader = reader
        self.folder = reader.folder
        self.origin = Origin.unpack(reader.about) or Origin.of_component(component)
        self._outbox = Outbox(reader.folder)
        self._heard = b""
        self.idle = False
        self.is_behind = False
        self.rest_is_lost = False
        self._pending: Consignment | None = None
        saved = self._outbox.load()
        self._tally = Tally() if saved is None else saved.tally
        if saved is not None and saved.end > reader.acknowledged:
            self._pending = saved

    @property
    def busy(self) -> bool:
        """Whether something is being sent that the spool may not have any more."""
        return self._pending is not None

    def forward(self, destination: Destination) -> int | None:
        """Send what comes next.

        Returns:
            How many records that were; None if nothing waits.

        Raises:
            Unavailable: The destination is; call again, later.
            SpoolError: The disk refuses.
        """
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
        return sent

    def lose_rest(self, records: int) -> None:
        """Count what is at the torn end of a spool, and cannot be read."""
        self.rest_is_lost = True
        self._tally.dropped[LossReason.TORN.value] += records
        self._pending = Consignment(self._reader.acknowledged, self._tally)
        self._tell(self._pending)

    def close(self) -> None:
        """Let another forwarder have the spool."""
        self._reader.close()

    def _send(self, consignment: Consignment, destination: Destination) -> int:
        request = consignment.requests[0]
        try:
            answer = destination.send(request)
        except Refused as refused:
            if request.records > 1:
                # One of them may be what the receiver does not like, or all together are too large.
                consignment.requests[:1] = split(request)
                self._save(consignment)
                return 0
            _log.warning("refused for good, dropped: %s", refused)
            self._drop(REFUSED, request.records, consignment)
        else:
            if answer.message:
                _log.warning("%d records rejected: %s", answer.rejected, answer.message)
            rejected = min(answer.rejected, request.records)
            self._tally.acknowledged += request.records - rejected
            self._drop(REJECTED, rejected, consignment)
        del consignment.requests[0]
        return request.records

    def _tell(self, consignment: Consignment) -> None:
        """Let the account follow the records that it is about."""
        consignment.untold = False
        attributes = self._tally.attributes()
        request = account_request(attributes, time.time_ns(), self.origin.resource)
        consignment.requests.append(request)
        self._save(consignment)

    def _save(self, consignment: Consignment) -> None:
        consignment.tally = replace(self._tally)
        self._outbox.save(consignment)

    def _drop(self, reason: str, records: int, consignment: Consignment) -> None:
        if records:
            self._tally.dropped[reason] += records
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
        consignment = Consignment(batch.end, self._tally, untold=news or bool(batch.losses))
        self._tally.lose(batch.losses)
        logs: list[LogFields] = []
        spans: list[SpanFields] = []
        for record in batch.records:
            match self._read(record, consignment):
                case LogFields() as fields:
                    logs.append(fields)
                case SpanFields() as fields:
                    spans.append(fields)
                case AccountFields() as account:
                    self._tally.hear(account)
                    consignment.untold = True
        numbers = [*(fields.number for fields in logs), *(fields.number for fields in spans)]
        self._tally.emitted = max([self._tally.emitted, *numbers])
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
        return isinstance(account, AccountFields) and self._tally.hear(account)

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
