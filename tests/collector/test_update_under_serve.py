"""`pip install --upgrade` under a running `relayscope serve`: its files are another version's."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from starlette.requests import Request

from relayscope.collector.config.settings import Settings
from relayscope.collector.page import page
from relayscope.collector.page.application import make_page
from relayscope.collector.page.sessions import NOBODY
from relayscope.collector.serve.worker_config import PageConfig, pack

SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}


class OfAnotherVersion:
    """What the parent sends, and its child knows nothing of."""


@pytest.mark.parametrize(
    "program", [["relayscope.collector.serve.workers"], ["relayscope.collector.page", "0"]]
)
def test_a_process_that_starts_after_an_update_says_what_to_do(program: list[str]) -> None:
    """Instead of a traceback about what it cannot unpickle."""
    started = subprocess.run(
        [sys.executable, "-m", *program],
        input=pack(OfAnotherVersion()),
        capture_output=True,
        timeout=60,
        check=False,
        cwd="/",
    )
    assert started.returncode == 1
    assert b"relayscope was updated while `relayscope serve` ran" in started.stderr
    assert b"Traceback" not in started.stderr


def test_the_page_goes_on_with_its_own_templates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of the new version want values that a running page does not know."""
    templates = tmp_path / "templates"
    shutil.copytree(page.TEMPLATES, templates)
    monkeypatch.setattr(page, "TEMPLATES", templates)
    config = PageConfig(Settings(data_dir=tmp_path), ("postgresql://nobody@127.0.0.1:1/none",))
    running = make_page(config).state.page
    for template in templates.iterdir():
        template.write_text("{{ a_value_of_the_new_version }}")
    request = Request(SCOPE)
    request.state.session = NOBODY

    answer = asyncio.run(running.render(request, "error.html", reason="as before", may_pass=False))

    assert b"as before" in answer.body
