"""A view: a path, and what answers there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from starlette.requests import Request
    from starlette.responses import Response

    Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class View:
    """Each module of views has `views`, a tuple of these; `application.py` lists the modules.

    Attributes:
        path: As Starlette's routes have it: `/trace/{trace_id}`.
        title: Its name in the navigation; empty if it is not there.
        handler: Answers a request; it finds the `Page` at `request.app.state.page`.
        methods: HTTP methods that it takes. All but `GET` have passed the check for cross-site
            requests, and the form is at `request.state.form`.
    """

    path: str
    title: str
    handler: Handler
    methods: tuple[str, ...] = ("GET",)
