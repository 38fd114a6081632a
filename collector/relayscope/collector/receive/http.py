"""OTLP over HTTP, health and metrics."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request

_logger = logging.getLogger(__name__)


def make_app(is_ready: Callable[[], bool]) -> Starlette:
    """The application behind the HTTP listener."""

    async def healthz(_request: Request) -> Response:
        """The process answers."""
        return JSONResponse({"status": "ok"})

    async def readyz(_request: Request) -> Response:
        """What is sent now will be stored now."""
        ready = is_ready()
        return JSONResponse({"ready": ready}, status_code=200 if ready else 503)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz)])
