"""The pictures in docs/images, made from the demo.

    python -m tests.screenshots [NAME...]

Runs `relayscope demo --keep`, goes to each view as a person does, and takes it as wide as a desk's
screen in light, and as wide as a telephone in dark. Look at all of them before you keep them.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from playwright.sync_api import sync_playwright

from tests.fix_page import ARGUMENTS, CHROMIUM
from tests.fix_programs import SCRIPTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

IMAGES: Final = Path(__file__).parents[1] / "docs" / "images"


class Shot(NamedTuple):
    """A view, and how to get there.

    Attributes:
        path: Page to begin at.
        links: Links to click on from there, one after the other.
    """

    path: str
    links: tuple[str, ...] = ()


SHOTS: Final = {
    "now": Shot("/"),
    "problems": Shot("/problems"),
    "waterfall": Shot("/traces", ("tools/call dewey_search", "Waterfall", "result #3")),
    "ladder": Shot("/problems", ("Open the trace", "Ladder")),
    "compare": Shot("/compare/peers?left=dewey&right=playfair"),
    "cost": Shot("/cost"),
    "setup": Shot("/setup"),
}


class _Look(NamedTuple):
    suffix: str
    width: int
    height: int
    scheme: str


_LOOKS: Final = (_Look("", 1440, 900, "light"), _Look("-narrow", 400, 800, "dark"))


@contextmanager
def _demo() -> Iterator[str]:
    """The address of the page of a demo that is kept."""
    with tempfile.TemporaryDirectory(prefix="relayscope-") as folder:
        command = [str(SCRIPTS / "relayscope"), "demo", "--keep", "--data-dir", folder]
        with subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        ) as demo:
            assert demo.stdout is not None
            try:
                for line in demo.stdout:
                    if found := re.match(r"  (http://127\.0\.0\.1:\d+)/$", line):
                        yield found[1]
                        break
            finally:
                demo.send_signal(signal.SIGINT)


def _take(browser: Browser, address: str, name: str, shot: Shot, look: _Look) -> None:
    context = browser.new_context(
        base_url=address,
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.scheme == "dark" else "light",
        timezone_id="UTC",
    )
    page = context.new_page()
    page.goto(shot.path)
    for link in shot.links:
        page.get_by_role("link", name=link).first.click()
        page.wait_for_load_state()
    # What was chosen is fetched later; the address shows the same at once.
    page.reload()
    page.screenshot(path=IMAGES / f"{name}{look.suffix}.png", full_page=True)
    context.close()


def main(names: list[str]) -> None:
    """Take the named pictures, or all."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    with _demo() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        for name in names or SHOTS:
            for look in _LOOKS:
                _take(browser, address, name, SHOTS[name], look)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
