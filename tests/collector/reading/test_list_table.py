"""Lists in a terminal: what they show at any width, and what their rows lead to."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import pytest

from relayscope.collector.render.list_columns import CALLS, LOGS
from tests.collector.reading import samples
from tests.collector.reading.samples import HOSTILE_TRACE_ID, TRACE_ID

if TYPE_CHECKING:
    from pathlib import Path

    from tests.collector.reading.conftest import Terminal

FIELDS = ("odd", "error_type", "waited", "trace_id", "span_id")
STYLE = re.compile(r"\x1b\[[0-9;]*m")
SHORT = TRACE_ID.hex[:8]


@pytest.fixture(scope="module")
def database_url(shared_database_url: str) -> str:
    """One database for all."""
    samples.store(shared_database_url, *samples.relayed_call())
    samples.store(shared_database_url, *samples.hostile_call(), samples.HOSTILE_TRACE_ID)
    return shared_database_url


@pytest.mark.parametrize("columns", [80, 200])
@pytest.mark.parametrize("command", ["traces", "calls", "messages", "logs"])
def test_a_row_names_its_trace_at_any_width(terminal: Terminal, command: str, columns: int) -> None:
    """By the short id that `trace` takes; no line is longer than the terminal."""
    shown = STYLE.sub("", terminal(command, "--trace", SHORT, COLUMNS=str(columns))).splitlines()
    assert max(map(len, shown)) <= columns
    # What goes on below a row is no row.
    heading, date, *rows, count = [line for line in shown if not line.startswith(" " * 15)]
    assert heading.split()[:3] == ["#", "time", "trace"]
    assert "2025-11-23, times in UTC" in date
    assert count == f"({len(rows)} row{'s' * (len(rows) > 1)})"
    assert [line.split()[:3:2] for line in rows] == [
        [str(number), SHORT] for number in range(len(rows), 0, -1)
    ]


@pytest.mark.parametrize("columns", [60, 80, 100, 200])
def test_why_a_call_failed_goes_on_below_its_row(columns: int) -> None:
    """At any width: two lines more at most, whole words where there are some, and nothing else."""
    failed = {
        "time": "2026-11-30 14:42:21.366456+00",
        "trace": "09996a34",
        "component": "client",
        "side": "client",
        "method": "tools/call",
        "tool": "gates_create_document",
        "peer": "python websocket_relay.py",
        "duration": "00:00:00.00189",
        "outcome": "protocol_error",
        "error_code": "-32603",
        "answer": '{"id":1,"error":{"code":-32603,"message":"Unknown tool: gates_create"}}',
    }
    rows = [{**dict.fromkeys(FIELDS), **failed, **other} for other in ({}, {"outcome": "ok"})]
    _, _, *lines = [line.plain for line in CALLS.lines(rows, columns, numbered=True)]
    assert max(map(len, lines)) <= columns
    (well,) = [number for number, line in enumerate(lines) if line.startswith("1")]
    assert well == len(lines) - 1
    assert well <= 3
    said = " ".join(" ".join(lines[:well]).split())
    assert said.endswith("protocol_error -32603 Unknown tool: gates_create")


@pytest.mark.parametrize("columns", [40, 50, 60])
def test_a_narrow_row_still_says_who_called_what(columns: int) -> None:
    """Its number stands for the trace then, which is left out, as is how long it took."""
    call = {
        "time": "2026-11-30 14:42:21.366456+00",
        "trace": "09996a34",
        "component": "client",
        "side": "client",
        "method": "tools/call",
        "tool": "gates_create_document",
        "duration": "00:00:00.00189",
        "waited": "00:00:03",
        "outcome": "unanswered",
        "answer": None,
        "error_code": None,
        "peer": None,
    }
    rows = [{**dict.fromkeys(FIELDS), **call}]
    _, _, line, *_ = [line.plain for line in CALLS.lines(rows, columns, numbered=True)]
    assert len(line) <= columns
    assert "client" in line
    assert "→ gat" in line
    _, _, alone, *_ = [line.plain for line in CALLS.lines(rows, columns, numbered=False)]
    assert "09996a34" in alone


def test_what_a_warning_says_goes_on_below_its_row() -> None:
    """The words that follow the first line stand there whole: how a connection closed, say."""
    warning = {
        "time": "2026-11-30 14:42:21.366456+00",
        "trace": "09996a34",
        "trace_id": None,
        "component": "relay",
        "severity_text": "WARN",
        "severity_number": "13",
        "event_name": "relayscope.channel.closed",
        "body": "closed: websocket 127.0.0.1:9050; 12 sent, 11 received; code 1006",
    }
    quiet = warning | {"severity_text": "INFO", "severity_number": "9"}
    shown = [line.plain for line in LOGS.lines([warning, quiet], 80, numbered=True)]
    assert max(map(len, shown)) <= 80
    assert " ".join(" ".join(shown).split()).count("11 received; code 1006") == 1


def test_a_row_shows_what_was_said_and_not_the_envelope(terminal: Terminal) -> None:
    """As the tree does."""
    shown = STYLE.sub("", terminal("messages", "--trace", SHORT, COLUMNS="200"))
    assert '{"name":"get_current_time","arguments":{"timezone":"Europe/Berlin"}}' in shown
    assert "! orphan_answer  Unknown method" in shown
    assert "jsonrpc" not in shown


def test_the_number_of_a_row_names_its_trace(terminal: Terminal) -> None:
    """Row 1 is the last line; the numbers are those of the list that was shown last."""
    terminal("traces")
    assert f"trace {HOSTILE_TRACE_ID.hex}" in STYLE.sub("", terminal("trace", "1"))
    assert f"trace {TRACE_ID.hex}" in STYLE.sub("", terminal("trace", "2"))
    assert "the last list has 2 rows, and no row 3" in terminal("trace", "3")
    terminal("calls", "--trace", SHORT)
    assert f"trace {TRACE_ID.hex}" in STYLE.sub("", terminal("trace", "1"))


def test_the_beginning_of_an_id_names_the_trace(terminal: Terminal) -> None:
    """If only one begins so."""
    assert f"trace {TRACE_ID.hex}" in STYLE.sub("", terminal("trace", SHORT))
    assert "no id of a trace begins with 123456" in terminal("trace", "1234560".rstrip("0"))


def test_a_beginning_that_several_have_names_them(terminal: Terminal, database_url: str) -> None:
    """So that the user can choose."""
    spans, records = samples.relayed_call()
    other = TRACE_ID.__class__(int=TRACE_ID.int + 1)
    samples.store(database_url, spans[:1], records[:1], other)
    said = terminal("trace", SHORT, COLUMNS="200")
    assert f"several traces begin with {SHORT}: {TRACE_ID.hex}, {other.hex}" in said


def test_rows_are_not_numbered_where_others_can_write(terminal: Terminal, tmp_path: Path) -> None:
    """A number must not lead to what somebody else has put there."""
    folder = tmp_path / "state" / "relayscope" / "lists"
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert terminal("traces").split()[0] != "#"
    (folder / "last").write_text(f'[["{TRACE_ID}",null]]')
    assert "no list was shown" in terminal("trace", "1")


@pytest.mark.parametrize("content", ["", "{}", "[1]", '[["x", null]]', "[[null]]", "\xff", "[[]]"])
def test_a_damaged_list_is_none(terminal: Terminal, tmp_path: Path, content: str) -> None:
    """One line says so."""
    folder = tmp_path / "state" / "relayscope" / "lists"
    folder.mkdir(parents=True, mode=0o700)
    (folder / "last").write_bytes(content.encode("latin-1"))
    said = terminal("trace", "1")
    assert "Traceback" not in said
    assert "no list was shown" in said or "no row 1" in said


@pytest.mark.parametrize("kind", ["link", "fifo", "folder"])
def test_what_is_no_file_of_the_users_is_not_read(
    terminal: Terminal, tmp_path: Path, kind: str
) -> None:
    """Nor does it keep whoever reads waiting."""
    folder = tmp_path / "state" / "relayscope" / "lists"
    folder.mkdir(parents=True, mode=0o700)
    target = tmp_path / "other"
    target.write_text(f'[["{TRACE_ID}",null]]')
    if kind == "link":
        (folder / "last").symlink_to(target)
    elif kind == "fifo":
        os.mkfifo(folder / "last")
    else:
        (folder / "last").mkdir()
    assert "no list was shown" in terminal("trace", "1")
    terminal("traces")
    assert target.read_text() == f'[["{TRACE_ID}",null]]'


def test_a_list_is_the_users_own_to_read(terminal: Terminal, tmp_path: Path) -> None:
    """Folder and file."""
    terminal("traces")
    folder = tmp_path / "state" / "relayscope" / "lists"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "last").stat().st_mode & 0o777 == 0o600
    assert [file.name for file in folder.iterdir()] == ["last"]


def test_an_empty_list_says_what_to_do(terminal: Terminal) -> None:
    """Not only that there are no rows."""
    assert "nothing that is stored fits" in terminal("calls", "--tool", "none")
    assert "`relayscope calls` has open ones" in terminal("traces", "--tool", "none")
    assert "--since goes further back" in terminal("calls", "--sort", "duration")
    assert "shown with --all" in terminal("logs", "--component", "nobody")
    assert "nothing that is stored fits" in terminal("tail", "--component", "nobody")


def test_the_numbers_of_rows_name_messages_to_compare(terminal: Terminal) -> None:
    """Of the list of messages that was shown last."""
    terminal("messages", "--kind", "request", "--component", "iccm-relay", "--tool", "none")
    terminal("messages", "--method", "tools/call", "--kind", "request", "--trace", TRACE_ID.hex)
    shown = terminal("diff", "4", "1")
    assert "$.id" in shown
    assert "nothing differs" in terminal("diff", "4", "3")
    terminal("traces")
    assert "row 1 of the last list is no message" in terminal("diff", "1", "2")


def test_a_user_without_a_home_sees_lists_without_numbers(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no folder is made where they happen to be."""
    monkeypatch.chdir(tmp_path)
    shown = terminal("traces", XDG_STATE_HOME="", HOME="nowhere")
    assert shown.split()[0] != "#"
    assert "Traceback" not in shown
    assert list(tmp_path.iterdir()) == []
