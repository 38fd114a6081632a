"""The page's address: told by `relayscope serve`, found by the commands beside it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.otlp_messages import SECOND, call, message, send

if TYPE_CHECKING:
    from tests.collector.reading.conftest import Relayscope, Terminal
    from tests.fix_collector import StartCollector


def test_open_prints_where_the_page_is(
    start_collector: StartCollector, relayscope: Relayscope, tmp_path: Path
) -> None:
    """As long as the collector runs that stores there: not after it has stopped, or was killed."""
    here = {"RELAYSCOPE_DATA_DIR": str(tmp_path / "data"), "BROWSER": "true"}
    assert "start `relayscope serve`" in relayscope("open", **here).stderr

    for end in (signal.SIGTERM, signal.SIGKILL):
        collector = start_collector()
        opened = relayscope("open", **here)
        assert (opened.returncode, opened.stdout) == (0, f"The page: http://{collector.page}/\n")
        os.kill(collector.process.pid, end)
        collector.wait()
        assert relayscope("open", **here).returncode == 1


def test_what_a_terminal_shows_has_its_address_on_the_page(
    start_collector: StartCollector, terminal: Terminal, tmp_path: Path
) -> None:
    """A trace in words, and its messages and the rows of a list as links, where there is a page."""
    here = {"RELAYSCOPE_DATA_DIR": str(tmp_path / "data")}
    now = time.time_ns() - SECOND
    trace = f"{7:032x}"
    collector = start_collector()
    send(collector, "client", [call(7, 8, now, 0.1)], [message(7, 8, now, "request", "{}")])
    page = f"http://{collector.page}/trace/{trace}"
    shown = terminal("trace", trace, **here)
    assert f"{page}\x1b" in shown
    assert f";{page}?at=" in shown
    assert f";{page}?at=" in terminal("messages", "--trace", trace, **here)
    collector.stop()
    assert "http://" not in terminal("trace", trace, **here)


def test_collectors_of_several_databases_may_share_a_data_folder(
    start_collector: StartCollector,
    relayscope: Relayscope,
    empty_database_url: str,
    tmp_path: Path,
) -> None:
    """`open` finds the page of the database that it is given, and names one that has none."""
    first = start_collector()
    second = start_collector(environment={"RELAYSCOPE_DATABASE_URL": empty_database_url})
    here = {"RELAYSCOPE_DATA_DIR": str(tmp_path / "data"), "BROWSER": "true"}
    assert relayscope("open", **here).stdout == f"The page: http://{first.page}/\n"
    there = {**here, "RELAYSCOPE_DATABASE_URL": empty_database_url}
    assert relayscope("open", **there).stdout == f"The page: http://{second.page}/\n"
    nowhere = {**here, "RELAYSCOPE_DATABASE_URL": "postgresql://user:secret@db.example/none"}
    said = relayscope("open", **nowhere).stderr
    assert "stores in postgresql://db.example/none (data_dir: " in said


def test_without_a_page_there_is_no_address(
    start_collector: StartCollector, relayscope: Relayscope, tmp_path: Path
) -> None:
    """`--page none` listens nowhere, and `open` says so."""
    collector = start_collector("--page", "none")
    here = {"RELAYSCOPE_DATA_DIR": str(tmp_path / "data")}

    assert collector.page == ""
    assert relayscope("open", **here).returncode == 1
