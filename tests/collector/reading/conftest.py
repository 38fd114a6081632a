"""Databases with the sample traces, and a terminal to look at them."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, Protocol

import pytest
from pydantic import SecretStr

from relayscope.collector.config.settings import Settings
from tests.collector.reading import samples
from tests.fix_collector import PATIENCE, collector_environment
from tests.fix_command import warm_relayscope

if TYPE_CHECKING:
    from pathlib import Path
    from subprocess import CompletedProcess

COMMAND = [sys.executable, "-m", "relayscope.collector"]
COLUMNS = 100


class Relayscope(Protocol):
    """Runs the command line with the test's database, its output a pipe."""

    def __call__(
        self, *arguments: str, stdin: str | None = None, **variables: str
    ) -> CompletedProcess[str]:
        """The process when it has ended; `variables` are added to its environment."""


class Terminal(Protocol):
    """Runs the command line with the test's database in a terminal of 100 columns."""

    def __call__(self, *arguments: str, **variables: str) -> str:
        """All that was written to the terminal."""


def settings_for(url: str) -> Settings:
    """The settings of a reader of the database at that URL."""
    return Settings(database_url=SecretStr(url))


@pytest.fixture
def stored(database_url: str) -> str:
    """The URL of a database with the relayed call and, a minute later, the hostile one."""
    samples.store(database_url, *samples.relayed_call())
    samples.store(database_url, *samples.hostile_call(), samples.HOSTILE_TRACE_ID)
    return database_url


@pytest.fixture
def settings(stored: str) -> Settings:
    """The settings of a reader of that database."""
    return settings_for(stored)


@pytest.fixture
def relayscope(database_url: str) -> Relayscope:
    """`relayscope` as a process."""

    def run(*arguments: str, stdin: str | None = None, **variables: str) -> CompletedProcess[str]:
        return subprocess.run(
            [*warm_relayscope(), *arguments],
            env=collector_environment({"RELAYSCOPE_DATABASE_URL": database_url, **variables}),
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )

    return run


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    """`relayscope` in a real pseudo-terminal, of a user who has seen no list yet."""

    def run(*arguments: str, **variables: str) -> str:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, COLUMNS, 0, 0))
        with subprocess.Popen(
            [*warm_relayscope(), *arguments],
            env=collector_environment(
                {
                    "RELAYSCOPE_DATABASE_URL": database_url,
                    "TERM": "xterm-256color",
                    "XDG_STATE_HOME": str(tmp_path / "state"),
                    **variables,
                }
            ),
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            stderr=theirs,
        ) as process:
            os.close(theirs)
            written = b"".join(iter(lambda: _read(ours), b""))
            os.close(ours)
            process.wait(PATIENCE)
        # The terminal's own line discipline made CR LF of each LF.
        return written.decode().replace("\r\n", "\n")

    return run


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # how Linux says that the other side is closed
        return b""
