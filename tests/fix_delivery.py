"""Spools of a test's own, and an end to the forwarders that work on them."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

SPOOL_DIR = "RELAYSCOPE_SPOOL_DIR"
_MODULE = b"relayscope.instrumentation.delivery"
_PATIENCE_SECONDS = 10


def forwarders(folder: Path) -> list[int]:
    """Return the process ids of the forwarders that work on spools in a folder."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal():
            with suppress(OSError):
                arguments = (process / "cmdline").read_bytes().split(b"\0")
                if _MODULE in arguments and arguments[-2].startswith(os.fsencode(folder)):
                    found.append(int(process.name))
    return found


def end_forwarders(folder: Path) -> None:
    """End the forwarders that work on spools in a folder."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while running := forwarders(folder):
        assert time.monotonic() < deadline, f"forwarders do not end: {running}"
        for pid in running:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)


@pytest.fixture(scope="session", autouse=True)
def _spools_of_the_session() -> Iterator[None]:
    """Keep fixtures of larger scope away from the user's own spools."""
    folder = Path(tempfile.mkdtemp(prefix="spool-"))
    os.environ[SPOOL_DIR] = str(folder)
    yield
    end_forwarders(folder)
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def spool_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The spools of one test, where the programs that it starts find them."""
    folder = tmp_path_factory.mktemp("spools")
    before = os.environ[SPOOL_DIR]
    os.environ[SPOOL_DIR] = str(folder)
    yield folder
    os.environ[SPOOL_DIR] = before
    end_forwarders(folder)
