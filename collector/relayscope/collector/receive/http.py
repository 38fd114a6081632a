"""OTLP over HTTP, health and metrics."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final

import orjson
from google.protobuf.json_format import MessageToDict
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from relayscope.collector import status
from relayscope.collector.decode import parse
from relayscope.collector.decode.otlp_json import parse_json
from relayscope.collector.errors import (
    RequestRefused,
    UnknownPath,
    UnsupportedMedia,
    WrongMethod,
)
from relayscope.collector.receive.body import discard_body, read_body
from relayscope.collector.signals import SIGNALS, Signal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from google.protobuf.message import Message

    from relayscope.collector.access import Access
    from relayscope.collector.pipeline import Parse, Pipeline
    from relayscope.collector.room import Room
    from relayscope.collector.settings import Settings

_logger = logging.getLogger(__name__)

_PROTOBUF: Final = "application/x-protobuf"
_JSON: Final = "application/json"
_PARSERS: Final = {_PROTOBUF: parse, _JSON: parse_json}


def make_app(
    pipeline: Pipeline,
    room: Room,
    access: Access,
    settings: Settings,
    is_ready: Callable[[], bool],
) -> Starlette:
    """The application behind the HTTP listener."""

    async def healthz(_request: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        """What is sent now will be stored now."""
        ready = is_ready()
        return JSONResponse({"ready": ready}, status_code=200 if ready else 503)

    def export(signal: Signal) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            reservation = room.reserve()
            try:
                access.check(_authorization(request), "ingest")
                parser = _parser(request)
                raw = await read_body(
                    request, settings.http_max_body, settings.receive_timeout, reservation
                )
                return _encode(
                    request, await pipeline.accept(signal, raw, parser, reservation), 200
                )
            except ClientDisconnect:
                reservation.release()
                return Response(status_code=499)  # nobody reads it
            except Exception as error:
                reservation.release()
                if not isinstance(error, RequestRefused):
                    _logger.exception("request failed", extra={"signal": signal.name})
                await discard_body(request, 2 * settings.http_max_body, settings.receive_timeout)
                return _refuse(request, error)

        return endpoint

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            *(Route(f"/v1/{signal.name}", export(signal), methods=["POST"]) for signal in SIGNALS),
        ],
        exception_handlers={404: _unknown_path, 405: _wrong_method},
    )


async def _unknown_path(request: Request, _error: Exception) -> Response:
    return _refuse(request, UnknownPath("there is nothing here"))


async def _wrong_method(request: Request, error: Exception) -> Response:
    response = _refuse(request, WrongMethod("this path takes another method"))
    if isinstance(error, HTTPException) and error.headers:
        response.headers.update(error.headers)
    return response


def _authorization(request: Request) -> str | None:
    values = request.headers.getlist("authorization")
    return values[0] if len(values) == 1 else None


def _media_type(request: Request) -> str:
    media_type, _, _ = request.headers.get("content-type", "").partition(";")
    return media_type.strip().lower()


def _parser(request: Request) -> Parse:
    parser = _PARSERS.get(_media_type(request))
    if parser is None:
        raise UnsupportedMedia(f"content-type must be {_PROTOBUF} or {_JSON}")
    return parser


def _refuse(request: Request, error: Exception) -> Response:
    refusal = status.refusal(error)
    response = _encode(request, refusal.status, refusal.http)
    if refusal.retry_after is not None:
        response.headers["retry-after"] = str(refusal.retry_after)
    if refusal.http == 401:  # noqa: PLR2004 - RFC 9110 wants to know how to do better
        response.headers["www-authenticate"] = "Bearer"
    return response


def _encode(request: Request, message: Message, http: int) -> Response:
    """A message in the request's own content type; JSON if that is not ours."""
    if _media_type(request) == _PROTOBUF:
        return Response(message.SerializeToString(), http, media_type=_PROTOBUF)
    as_json: dict[str, Any] = MessageToDict(message)
    return Response(orjson.dumps(as_json), http, media_type=_JSON)
