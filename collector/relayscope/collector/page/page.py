"""The tools of every view: a reader, and templates."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, Final

import orjson
from jinja2 import DictLoader, Environment, StrictUndefined
from starlette.responses import HTMLResponse, Response

from relayscope.collector.page import words
from relayscope.collector.page.colours import Colours
from relayscope.collector.query.errors import ReadingError
from relayscope.collector.query.queries import query

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request

    from relayscope.collector.config.settings import Settings
    from relayscope.collector.page.reader import Reader
    from relayscope.collector.page.sessions import Sessions
    from relayscope.collector.page.view import View
    from relayscope.collector.receive.access import Access

TEMPLATES: Final = Path(__file__).parent / "templates"

_KNOWN_SECONDS: Final = 60.0
"""Seconds for which the components that are known are known well enough."""

_PATIENCE_SECONDS: Final = 1.0
"""Seconds to wait for their names: no view fails for want of a colour."""


@dataclass
class Page:
    """At `request.app.state.page`.

    Attributes:
        reader: Asks PostgreSQL.
        settings: The collector's, with its real ports.
        access: The tokens and their roles.
        sessions: The sessions that are logged in.
        views: All views of the page.
        colours: The colour of each component.
    """

    reader: Reader
    settings: Settings
    access: Access
    sessions: Sessions
    views: Sequence[View]
    colours: Colours = field(default_factory=Colours)
    _known_until: float = 0.0
    _environment: Environment = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Make the environment of the templates, in which everything is escaped.

        They are read at once: after an upgrade, the files are those of another version.
        """
        sources = {path.name: path.read_text("utf-8") for path in TEMPLATES.iterdir()}
        environment = Environment(
            loader=DictLoader(sources),
            autoescape=True,
            finalize=words.visible,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= words.FILTERS | {"colour": self.colours.of}
        environment.globals |= {"navigation": [view for view in self.views if view.title]}
        self._environment = environment

    async def know_components(self) -> None:
        """Reserve colours for all components, so that it does not matter who is shown first."""
        if monotonic() < self._known_until:
            return
        try:
            rows = await self.reader.rows(query("known_components"), seconds=_PATIENCE_SECONDS)
        except ReadingError:
            return  # what is wrong with the database, the view says
        self.colours.reserve(row["component"] for row in rows)
        self._known_until = monotonic() + _KNOWN_SECONDS

    async def render(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> Response:
        """Return a page that is made in a thread: what others ask for goes on meanwhile.

        Args:
            request: The request; `path`, `session` and the forms' `csrf` are taken from it.
            template: The name of the template's file.
            status: The status of HTTP.
            values: Values for the template.
        """
        make = partial(self.rendered, request, template, status=status, **values)
        return await asyncio.to_thread(make)

    def rendered(
        self, request: Request, template: str, *, status: int = 200, **values: Any
    ) -> Response:
        """Return a small page at once, as `render` does."""
        session = request.state.session
        text = self._environment.get_template(template).render(
            path=request.url.path,
            query=request.query_params,
            session=session,
            is_locked=not self.access.is_open,
            csrf=self.sessions.form_token(session),
            status=status,
            **values,
        )
        return HTMLResponse(text, status)

    def json(self, content: Any, status: int = 200) -> Response:
        """Return JSON, of the values that PostgreSQL has."""
        return Response(orjson.dumps(content, default=str), status, media_type="application/json")
