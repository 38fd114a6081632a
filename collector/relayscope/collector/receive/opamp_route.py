"""OpAMP over HTTP: traced processes ask here, every few seconds, what they are to record."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from relayscope.collector.errors import RequestRefused, Unavailable, UnsupportedMedia
from relayscope.collector.receive.body import Body
from relayscope.collector.receive.status import refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from relayscope.collector.config.settings import Settings
    from relayscope.collector.levels.opamp_server import OpampServer
    from relayscope.collector.receive.admission import Admission

_logger = logging.getLogger(__name__)

_PROTOBUF: Final = "application/x-protobuf"
_LARGEST: Final = 64 * 1024
"""Bytes of a message: a process says who it is, and what it records."""


def opamp_route(server: OpampServer, admission: Admission, settings: Settings) -> Route:
    """Return the route by which agents ask. Whoever may send telemetry may."""

    async def opamp(request: Request) -> Response:
        body = Body(request, _LARGEST, settings.receive_timeout)
        try:
            admission.access.check(authorization(request), "ingest")
            check_type(request, _PROTOBUF)
            message = await read(body, admission)
            answer = await asyncio.to_thread(server.answer, message)
        except Exception as error:  # noqa: BLE001  # whatever an agent may send
            await body.discard()
            return refuse(request, admission, error, "opamp")
        admission.metrics.asked("opamp", "OK")
        return Response(answer, media_type=_PROTOBUF)

    return Route("/v1/opamp", opamp, methods=["POST"])


async def read(body: Body, admission: Admission) -> bytes:
    """Return a small body, for which there has to be room.

    Raises:
        RequestRefused: It is too large, too slow, or not what it says.
    """
    reservation = await admission.inflight_limit.reserve(_LARGEST)
    try:
        return await body.read(reservation)
    finally:
        reservation.release()


def check_type(request: Request, media_type: str) -> None:
    """Make sure that a body is of a type.

    Raises:
        UnsupportedMedia: It is of another.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != media_type:
        raise UnsupportedMedia(f"content-type must be {media_type}")


def authorization(request: Request) -> str | None:
    """Return the header, if there is exactly one."""
    values = request.headers.getlist("authorization")
    return values[0] if len(values) == 1 else None


def refuse(request: Request, admission: Admission, error: Exception, about: str) -> Response:
    """Refuse a request: tell its sender why, count it and log it."""
    if isinstance(error, SQLAlchemyError):
        error = Unavailable("the database is away")
    if isinstance(error, RequestRefused):
        peer = request.client.host if request.client else ""
        admission.refusal_log.tell(peer, "http", error)
    else:
        _logger.error("request failed", exc_info=error, extra={"path": request.url.path})
    refused = refusal(error)
    admission.metrics.asked(about, refused.code.name, type(error).__name__)
    response = PlainTextResponse(refused.status.message + "\n", refused.http)
    if refused.retry_after is not None:
        response.headers["retry-after"] = str(refused.retry_after)
    if refused.http == 401:  # noqa: PLR2004  # RFC 9110 wants to be told how to do better
        response.headers["www-authenticate"] = "Bearer"
    return response
