"""The process that shows the page: there when somebody looks, and gone with the receivers."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tests.collector.page.test_security import ask
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from tests.fix_collector import Collector, StartCollector


def page_processes(collector: Collector) -> list[int]:
    """The processes that show its page."""
    pid = collector.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    found = []
    for child in children:
        with suppress(FileNotFoundError, ProcessLookupError):  # It has ended meanwhile.
            if b"relayscope.collector.page" in Path(f"/proc/{child}/cmdline").read_bytes():
                found.append(int(child))
    return found


def test_nobody_pays_for_a_page_that_nobody_looks_at(collector: Collector) -> None:
    """Its process is there from the first look on, and it is one, however many look."""
    assert page_processes(collector) == []
    assert [ask(collector, path).status for path in ("/", "/problems", "/cost")] == [200] * 3
    assert len(page_processes(collector)) == 1


def test_a_page_that_was_killed_comes_back(collector: Collector) -> None:
    """The next who looks waits for it, and the receivers have noticed nothing."""
    ask(collector, "/")
    (first,) = page_processes(collector)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: collector.events("the page's process died") != [])

    assert ask(collector, "/").status == 200
    assert page_processes(collector) != [first]
    assert collector.ask("GET", "/readyz").status == 200


def test_the_page_ends_with_its_collector(start_collector: StartCollector) -> None:
    """Also when that one is killed."""
    for end in (signal.SIGTERM, signal.SIGKILL):
        collector = start_collector()
        ask(collector, "/")
        (page,) = page_processes(collector)
        os.kill(collector.process.pid, end)
        collector.wait()
        eventually(partial(_is_gone, page))


def _is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_several_workers_have_one_page(start_collector: StartCollector) -> None:
    """It belongs to their parent."""
    collector = start_collector("--workers", "2")
    assert ask(collector, "/").status == 200
    assert len(page_processes(collector)) == 1
