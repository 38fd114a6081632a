"""Admission of a request, alike for every transport: token, room, pipeline, answer."""

from __future__ import annotations

import asyncio
import logging
from traceback import clear_frames
from typing import TYPE_CHECKING, NamedTuple

from relayscope.collector.errors import RequestRefused, TooSlow
from relayscope.collector.ingest.decoder import Job
from relayscope.collector.receive import status

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from google.protobuf.message import Message

    from relayscope.collector.ingest.decoder.open_requests import Parse
    from relayscope.collector.ingest.inflight_limit import InflightLimit, Reservation
    from relayscope.collector.ingest.pipeline import Pipeline
    from relayscope.collector.internal_telemetry.collector_metrics import CollectorMetrics
    from relayscope.collector.receive.access import Access
    from relayscope.collector.receive.refusal_log import RefusalLog
    from relayscope.collector.signals import Signal

_logger = logging.getLogger(__name__)


class Received(NamedTuple):
    """The bytes of a request, decompressed, and what reads them."""

    raw: bytes
    parse: Parse


class Caller(NamedTuple):
    """The sender of a request.

    Attributes:
        transport: `grpc` or `http`, for the metrics.
        peer: the address it comes from, for the log.
        connection: that address with its port: what comes over one has its turns together.
        authorization: the `Authorization` header, if there is exactly one.
    """

    transport: str
    peer: str
    connection: str
    authorization: str | None


class Admission(NamedTuple):
    """Shared by the receivers of one process."""

    access: Access
    inflight_limit: InflightLimit
    pipeline: Pipeline
    metrics: CollectorMetrics
    refusal_log: RefusalLog

    async def take(
        self,
        signal: Signal,
        caller: Caller,
        first: int,
        receive: Callable[[Reservation], Awaitable[Received]],
    ) -> Message | status.Refusal:
        """Answer one request; raises nothing that a client could cause.

        Args:
            signal: the signal that the request carries.
            caller: the sender.
            first: bytes to have room for before anything of the request is read.
            receive: gets the request's bytes, growing its reservation when these are more.
        """
        try:
            self.access.check(caller.authorization, "ingest")
            response = await self._store(signal, caller.connection, first, receive)
        except Exception as error:
            if not isinstance(error, RequestRefused):
                _logger.exception("request failed", extra={"signal": signal.name})
            else:
                self.refusal_log.tell(caller.peer, caller.transport, error)
            # Its frames hold the request, and are held by whoever else waits for the same answer.
            clear_frames(error.__traceback__)
            refusal = status.refusal(error)
            self.metrics.refused(signal, caller.transport, refusal.code.name, type(error).__name__)
            return refusal
        self.metrics.answered(signal, caller.transport)
        return response

    async def _store(
        self,
        signal: Signal,
        connection: str,
        first: int,
        receive: Callable[[Reservation], Awaitable[Received]],
    ) -> Message:
        reservation = await self.inflight_limit.reserve(first, connection)
        try:
            raw, parse = await receive(reservation)
            reservation.settle_at(len(raw))
        except BaseException:  # also when the client hangs up, which cancels us
            reservation.release()
            raise
        try:
            rejected = await self.pipeline.accept(connection, Job(signal, raw, parse), reservation)
        except (TooSlow, asyncio.CancelledError):  # the client gave up, or is told to try again
            self.inflight_limit.answered_late(connection)
            raise
        return status.success(signal, rejected)
