"""OTLP over HTTP, health and metrics."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import orjson
from google.protobuf.json_format import MessageToDict
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from relayscope.collector.errors import (
    RequestRefused,
    UnknownPath,
    UnsupportedMedia,
    WrongMethod,
)
from relayscope.collector.ingest.decode import parse
from relayscope.collector.ingest.decode.otlp_json import parse_json
from relayscope.collector.receive.admission import Admission, Caller, Received
from relayscope.collector.receive.body import BUFFERED, Body
from relayscope.collector.receive.head import Head
from relayscope.collector.receive.status import Refusal, refusal
from relayscope.collector.signals import SIGNALS, Signal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from google.protobuf.message import Message
    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from relayscope.collector.config.settings import Settings
    from relayscope.collector.ingest.decoder.open_requests import Parse
    from relayscope.collector.ingest.health import Health
    from relayscope.collector.ingest.inflight_limit import Reservation

    Endpoint = Callable[[Request], Awaitable[Response]]

_PROTOBUF: Final = "application/x-protobuf"
_JSON: Final = "application/json"
_PARSERS: Final = {_PROTOBUF: parse, _JSON: parse_json}

# Where one signal alone is given its address, OpenTelemetry takes that as it is written.
_NOTHING_HERE: Final = (
    "there is nothing here: OTLP is sent to "
    + ", ".join(f"/v1/{signal.name}" for signal in SIGNALS)
    + "; the page has a port of its own"
)
_OTHER_METHOD: Final = "this path takes another method: OTLP is sent with POST"


def make_app(
    admission: Admission, health: Health, settings: Settings, others: Sequence[Route] = ()
) -> Starlette:
    """The application behind the HTTP listener."""
    return Starlette(
        routes=[
            Route("/healthz", _healthz),
            Route("/readyz", _readyz(health)),
            Route("/metrics", _metrics(admission)),
            *(
                Route(f"/v1/{signal.name}", _export(signal, admission, settings), methods=["POST"])
                for signal in SIGNALS
            ),
            *others,
        ],
        middleware=[
            Middleware(
                Head,
                hosts=(
                    settings.http_hosts
                    if settings.http.is_loopback or settings.http_hosts
                    else None
                ),
                refuse=partial(_tell_and_refuse, admission),
            )
        ],
        exception_handlers={
            404: _refusing(admission, UnknownPath(_NOTHING_HERE)),
            405: _refusing(admission, WrongMethod(_OTHER_METHOD)),
        },
    )


async def _healthz(_request: Request) -> Response:
    """The process answers."""
    return JSONResponse({"status": "ok"})


def _readyz(health: Health) -> Endpoint:
    async def readyz(_request: Request) -> Response:
        """Answer 200 if requests are stored at once, and 503 if they wait on disk."""
        waiting = health.waiting
        spool = {
            "requests": waiting.records,
            "bytes": waiting.bytes,
            "seconds": round(waiting.seconds, 1),
        }
        answer = {"ready": health.ready, "spool": spool}
        return JSONResponse(answer, 200 if health.ready else 503)

    return readyz


def _metrics(admission: Admission) -> Endpoint:
    async def metrics(request: Request) -> Response:
        """The collector about itself."""
        try:
            admission.access.check(_authorization(request), "read")
        except RequestRefused as error:
            return _refuse(request, refusal(error))
        text = admission.metrics.text()
        return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")

    return metrics


def _export(signal: Signal, admission: Admission, settings: Settings) -> Endpoint:
    first = min(BUFFERED, settings.http_max_body)

    async def export(request: Request) -> Response:
        body = Body(request, settings.http_max_body, settings.receive_timeout)

        async def receive(reservation: Reservation) -> Received:
            parser = _parser(request)
            return Received(await body.read(reservation), parser)

        answer = await admission.take(signal, _caller(request), first, receive)
        if isinstance(answer, Refusal):
            return _Early(_refuse(request, answer), body)
        return _encode(request, answer, 200)

    return export


def _refusing(
    admission: Admission, refused: RequestRefused
) -> Callable[[Request, Exception], Awaitable[Response]]:
    async def refuse(request: Request, error: Exception) -> Response:
        response = _tell_and_refuse(admission, request, refused)
        if isinstance(error, HTTPException) and error.headers:
            response.headers.update(error.headers)
        return response

    return refuse


def _tell_and_refuse(admission: Admission, request: Request, refused: RequestRefused) -> Response:
    admission.refusal_log.tell(_peer(request), "http", refused)
    return _refuse(request, refusal(refused))


class _Early(Response):
    """An answer that is sent before the request's body has been read."""

    def __init__(self, response: Response, unread: Body) -> None:
        super().__init__(response.body, response.status_code)
        self.raw_headers = response.raw_headers
        self._unread = unread

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Send it, read what still comes, and only then end."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send(start | {"headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self.body, "more_body": True})
        await self._unread.discard()
        await send({"type": "http.response.body", "body": b""})


def _caller(request: Request) -> Caller:
    connection = f"{request.client.host}:{request.client.port}" if request.client else ""
    return Caller("http", _peer(request), connection, _authorization(request))


def _peer(request: Request) -> str:
    return request.client.host if request.client else ""


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


def _refuse(request: Request, refused: Refusal) -> Response:
    response = _encode(request, refused.status, refused.http)
    if refused.retry_after is not None:
        response.headers["retry-after"] = str(refused.retry_after)
    if refused.http == 401:  # noqa: PLR2004 - RFC 9110 wants to be told how to do better
        response.headers["www-authenticate"] = "Bearer"
    return response


def _encode(request: Request, message: Message, http: int) -> Response:
    """A message in the request's own content type; JSON if that is not ours."""
    if _media_type(request) == _PROTOBUF:
        return Response(message.SerializeToString(), http, media_type=_PROTOBUF)
    as_json: dict[str, Any] = MessageToDict(message)
    return Response(orjson.dumps(as_json), http, media_type=_JSON)
