"""Levels over HTTP: what `relayscope level` asks for."""

from __future__ import annotations

import asyncio
import ipaddress
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from relayscope.collector.errors import Malformed, PermissionDenied
from relayscope.collector.levels.level_request import LevelRequest, MessageSelector, first_error
from relayscope.collector.levels.opamp_server import OpampServer
from relayscope.collector.levels.overview import overview
from relayscope.collector.receive.body import Body
from relayscope.collector.receive.opamp_route import (
    authorization,
    check_type,
    opamp_route,
    read,
    refuse,
)
from relayscope.storage import TooManyRules, reset_levels, set_level

if TYPE_CHECKING:
    from sqlalchemy import Engine
    from starlette.requests import Request

    from relayscope.collector.config.settings import Settings
    from relayscope.collector.receive.admission import Admission

_PATH: Final = "/v1/levels"
_JSON: Final = "application/json"
_LARGEST: Final = 16 * 1024


def level_routes(engine: Engine, admission: Admission, settings: Settings) -> list[Route]:
    """Return the routes by which agents ask for levels and people change them."""
    return [
        opamp_route(OpampServer(engine), admission, settings),
        _levels_route(engine, admission, settings),
    ]


def _levels_route(engine: Engine, admission: Admission, settings: Settings) -> Route:
    """Route by which levels are listed (`read`), set and reset (`admin`)."""

    async def levels(request: Request) -> Response:
        body = Body(request, _LARGEST, settings.receive_timeout)
        try:
            if request.method == "GET":
                admission.access.check(authorization(request), "read")
                answer = await asyncio.to_thread(overview, engine)
            elif request.method == "DELETE":
                by = _may_change(request, admission)
                selector, asked = _selector(request)
                ended = await asyncio.to_thread(
                    reset_levels, engine, selector.selectors, by or asked
                )
                answer = {"ended": ended}
            else:
                by = _may_change(request, admission)
                change = await _level_request(request, body, admission)
                await asyncio.to_thread(
                    set_level,
                    *(engine, change.selectors, change.level, by or change.by, change.duration),
                )
                answer = {}
        except TooManyRules as error:
            admission.metrics.asked("levels", "FAILED_PRECONDITION", type(error).__name__)
            return Response(f"{error}\n", 409, media_type="text/plain")
        except Exception as error:  # noqa: BLE001  # whatever a client may send
            await body.discard()
            return refuse(request, admission, error, "levels")
        admission.metrics.asked("levels", "OK")
        return JSONResponse(answer)

    return Route(_PATH, levels, methods=["GET", "POST", "DELETE"])


def _may_change(request: Request, admission: Admission) -> str:
    """Return the name of the token that allows it; empty where there are no tokens.

    Raises:
        Unauthenticated: There is no valid token.
        PermissionDenied: It is another's work.
    """
    name = admission.access.check(authorization(request), "admin")
    # A page in a browser on this machine is no one's command line; it says where it is from.
    if "origin" in request.headers:
        raise PermissionDenied("a page of a browser may not change levels")
    if not name and not _is_loopback(request):
        raise PermissionDenied("without tokens, only this machine may change levels")
    return name


def _is_loopback(request: Request) -> bool:
    try:
        address = ipaddress.ip_address(request.client.host if request.client else "")
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _selector(request: Request) -> tuple[MessageSelector, str]:
    given: dict[str, str] = dict(request.query_params)
    asked = given.pop("by", "")[:64]
    try:
        return MessageSelector.model_validate(given), "".join(filter(str.isprintable, asked))
    except ValidationError as error:
        raise first_error(error) from None


async def _level_request(request: Request, body: Body, admission: Admission) -> LevelRequest:
    # A page in a browser can send other types without asking.
    check_type(request, _JSON)
    content = await read(body, admission)
    try:
        return LevelRequest.model_validate_json(content)
    except ValidationError as error:
        raise first_error(error) from None
    except ValueError:
        raise Malformed("the body is not JSON") from None
