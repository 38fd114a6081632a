"""The page by which all views are rendered."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any, Final

from starlette.requests import Request

from relayscope.collector.config.settings import Settings
from relayscope.collector.page.application import make_page
from relayscope.collector.page.sessions import NOBODY
from relayscope.collector.serve.worker_config import PageConfig

PATIENCE_SECONDS: Final = 20.0

SCOPE: Final = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}


def test_others_are_answered_while_a_page_is_made(tmp_path: Path) -> None:
    """It is made in a thread: this one is not done before the event loop has gone on."""
    went_on = threading.Event()

    class Slow:
        """Text that is there once others have been answered."""

        def __str__(self) -> str:
            return "whole" if went_on.wait(PATIENCE_SECONDS) else "in the way of others"

    async def look() -> Any:
        settings = Settings(data_dir=tmp_path)
        page = make_page(PageConfig(settings, ("postgresql://nobody@127.0.0.1:1/none",))).state.page
        request = Request(SCOPE)
        request.state.session = NOBODY
        making = asyncio.create_task(
            page.render(request, "error.html", reason=Slow(), may_pass=False)
        )
        while not making.done() and not went_on.is_set():
            await asyncio.sleep(0)
            went_on.set()
        return await making

    answer = asyncio.run(look())
    assert b"whole" in answer.body
