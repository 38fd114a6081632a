"""Leaves tests out that were not asked for, and says at the end of a run which and why.

`--fast` leaves out what uses PostgreSQL or starts a process; what is marked `thorough` is left out
unless `--thorough` asks for it, which tries more examples, too.
"""

from __future__ import annotations

import sys
import threading
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import pytest
from hypothesis import settings

from tests.examples import QUICK, THOROUGH

if TYPE_CHECKING:
    from collections.abc import Iterator

_POSTGRESQL: Final = "use PostgreSQL; `make test` runs them"
_PROCESS: Final = "start a process; `make test` runs them"
_THOROUGH: Final = "take long; `make test-thorough` runs them"

_ELSEWHERE: Final = "a process is started on another thread: mark the test as `processes`"
"""Only the test's own thread can be cut off, so that such a test would take its whole time."""

_STARTS: Final = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"}
)
"""Python's audit events of a process that is about to start."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options."""
    parser.addoption(
        "--fast", action="store_true", help="leave out tests that use PostgreSQL or start a process"
    )
    parser.addoption("--thorough", action="store_true", help="leave out no test that takes long")


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known, choose how many examples are tried, and watch for processes."""
    config.addinivalue_line("markers", "thorough: takes long; only --thorough runs it")
    config.addinivalue_line("markers", "processes: starts some where it cannot be cut off")
    settings.load_profile(THOROUGH if config.getoption("--thorough") else QUICK)
    if config.getoption("--fast"):
        config.pluginmanager.register(_NoProcesses())
        # A test that is cut off there cannot close what it has opened.
        config.addinivalue_line("filterwarnings", "ignore::ResourceWarning")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what a mark or a fixture gives away."""
    fast, thorough = config.getoption("--fast"), config.getoption("--thorough")
    for item in items:
        if not thorough and item.get_closest_marker("thorough"):
            item.add_marker(pytest.mark.skip(reason=_THOROUGH))
        elif fast and "server_url" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason=_POSTGRESQL))
        elif fast and item.get_closest_marker("processes"):
            item.add_marker(pytest.mark.skip(reason=_PROCESS))


class _NoProcesses:
    """Skips a test, or the set-up of its fixtures, where it is about to start a process."""

    def __init__(self) -> None:
        self._is_testing = False
        sys.addaudithook(self._look)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self) -> Iterator[None]:
        """Watch while a test runs: pytest may start processes of its own."""
        self._is_testing = True
        try:
            return (yield)
        finally:
            self._is_testing = False

    def _look(self, event: str, _: object) -> None:
        if event in _STARTS and self._is_testing:
            if threading.current_thread() is threading.main_thread():
                pytest.skip(_PROCESS)
            raise RuntimeError(_ELSEWHERE)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say how many tests were left out, by reason."""
    skipped = terminalreporter.stats.get("skipped", ())
    reasons = Counter(report.longrepr[2].removeprefix("Skipped: ") for report in skipped)
    terminalreporter.section("left out")
    for reason, count in reasons.most_common():
        terminalreporter.line(f"{count} tests: {reason}")
    if not reasons:
        terminalreporter.line("no test")
