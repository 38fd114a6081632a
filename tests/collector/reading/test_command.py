"""`relayscope trace` and `relayscope sql`, as processes: in a terminal, in a pipe, and embedded."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from relayscope.conventions.attributes import CHANNEL_SEQUENCE
from relayscope.conventions.events import EVENT_MESSAGE
from tests.collector.reading import samples
from tests.collector.reading.conftest import COLUMNS, COMMAND
from tests.collector.reading.samples import HOSTILE_TRACE_ID, TRACE_ID
from tests.collector.reading.test_printable import OBEYED
from tests.fix_collector import PATIENCE, collector_environment
from tests.fix_programs import run

if TYPE_CHECKING:
    from tests.collector.reading.conftest import Relayscope, Terminal

pytestmark = pytest.mark.usefixtures("stored")

STYLE = re.compile(r"\x1b\[[0-9;]*m")
"""The one kind of escape sequence that we write ourselves: colours and weight."""


@pytest.mark.parametrize(
    "trace_id",
    [TRACE_ID.hex, str(TRACE_ID), f"00-{TRACE_ID.hex}-00f067aa0ba902b7-01"],
)
def test_a_trace_is_found_by_what_people_paste(relayscope: Relayscope, trace_id: str) -> None:
    """Hex, UUID or traceparent."""
    result = relayscope("trace", trace_id)
    assert result.returncode == 0
    assert result.stdout.startswith(f"trace {TRACE_ID.hex}\n")
    assert result.stderr == ""


def test_an_unknown_trace_is_said_so(relayscope: Relayscope) -> None:
    """In one line, with exit code 1."""
    result = relayscope("trace", "f" * 32)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith(f"Error: no trace {'f' * 32} is stored")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], [TRACE_ID.hex, "--last"], ["not-a-trace-id"]])
def test_a_wrong_command_line_is_explained(relayscope: Relayscope, arguments: list[str]) -> None:
    """As everywhere: usage on stderr, exit code 2."""
    result = relayscope("trace", *arguments)
    assert result.returncode == 2
    assert "Usage: " in result.stderr


def test_a_pipe_gets_whole_lines_without_colours(relayscope: Relayscope) -> None:
    """Each message's text is in the line of its message, however long."""
    result = relayscope("trace", TRACE_ID.hex)
    _, records = samples.relayed_call()
    for record in records:
        assert f"  {record.body}\n" in result.stdout
    assert "\x1b" not in result.stdout


def test_a_terminal_gets_colours_and_lines_that_fit(terminal: Terminal) -> None:
    """One line for each span, each message and the failure that has no room; errors are red."""
    shown = terminal("trace", TRACE_ID.hex)
    lines = STYLE.sub("", shown).splitlines()
    assert max(map(len, lines)) == COLUMNS
    assert len(lines) == 5 + 6 + 10 + 1 + 1
    assert "\x1b[1;31m✗ ConnectionRefusedError" in shown


def test_a_terminal_shows_all_text_when_asked(terminal: Terminal) -> None:
    """`--full` wraps it."""
    lines = STYLE.sub("", terminal("trace", "--full", TRACE_ID.hex)).splitlines()
    assert max(map(len, lines)) <= COLUMNS
    _, records = samples.relayed_call()
    shown = "".join(line.lstrip(" │") for line in lines).replace(" ", "")
    assert all((record.body or "").replace(" ", "") in shown for record in records)


def test_colours_can_be_switched_off(terminal: Terminal) -> None:
    """NO_COLOR is heeded."""
    assert "\x1b[1;31m" in terminal("trace", TRACE_ID.hex)
    assert not re.search(r"\x1b\[[0-9;]*3\dm", terminal("trace", TRACE_ID.hex, NO_COLOR="1"))
    # The count of a list's rows, too.
    assert "\x1b[90m" in terminal("calls")
    assert not re.search(r"\x1b\[[0-9;]*[39]\dm", terminal("calls", NO_COLOR="1"))
    assert "\x1b" not in terminal("calls", TERM="dumb")


@pytest.mark.parametrize(
    "arguments",
    [
        ["trace", HOSTILE_TRACE_ID.hex],
        ["trace", "--full", HOSTILE_TRACE_ID.hex],
        ["trace", "--json", HOSTILE_TRACE_ID.hex],
        ["sql", "select * from spans"],
        ["sql", "select attributes ->> 'relayscope.peer' from logs"],
        ["sql", "--json", "select * from spans"],
        ["sql", "--csv", "select * from logs"],
        ["sql", "select max(name)::int from spans where name like '%owned%'"],
    ],
    ids=" ".join,
)
def test_what_telemetry_says_never_moves_the_cursor(
    terminal: Terminal, arguments: list[str]
) -> None:
    """In a real terminal, nothing but our own colours is there to be obeyed."""
    shown = STYLE.sub("", terminal(*arguments)).replace("\n", "")
    assert "owned" in shown
    assert "[red]:boom:" in shown
    assert not {char for char in shown if unicodedata.category(char) in OBEYED}


@pytest.mark.parametrize(
    "arguments",
    [
        ["trace", HOSTILE_TRACE_ID.hex],
        ["trace", "--json", HOSTILE_TRACE_ID.hex],
        ["sql", "select * from spans"],
        ["sql", "--json", "select * from spans"],
    ],
    ids=" ".join,
)
def test_not_even_through_a_pipe(relayscope: Relayscope, arguments: list[str]) -> None:
    """Piped output often ends up in a terminal. Only CSV, which has no escapes, is exact."""
    shown = relayscope(*arguments).stdout.replace("\n", "").replace("\t", "")
    assert "[red]:boom:" in shown
    assert not {char for char in shown if unicodedata.category(char) in OBEYED}


def test_json_of_a_trace_says_all_of_it(relayscope: Relayscope) -> None:
    """One object of the documented shape, with every span and record once."""
    result = relayscope("trace", "--json", TRACE_ID.hex)
    assert result.stdout.count("\n") == 1
    trace = json.loads(result.stdout)
    spans, records = samples.relayed_call()
    assert trace["trace_id"] == str(TRACE_ID)
    assert trace["complete"] is True
    assert {one["span_id"]: one["start_unix_nano"] for one in trace["spans"]} == {
        one.span_id: one.start for one in spans
    }
    assert [one["depth"] for one in trace["spans"]] == [0, 1, 2, 2, 3, 2]
    assert [one["body"] for one in trace["messages"]] == [
        one.body
        for one in sorted(records, key=lambda one: one.time)
        if one.event_name == EVENT_MESSAGE
    ]
    first = trace["messages"][0]
    del first["attributes"], first["sequence"], first["message_id"]
    assert first == {
        "span_id": "00f067aa0ba902b7",
        "component": "client",
        "time_unix_nano": samples.at(0.05),
        "direction": "sent",
        "kind": "request",
        "method": "tools/call",
        "request_id": "3",
        "error_code": None,
        "size": 206,
        "channel": "client stdio",
        "peer": "stdio",
        "tool": None,
        "odd": None,
        "body": records[0].body,
        "truncated": False,
    }
    assert [one["body"] for one in trace["logs"]] == ["backend gates is away"]


def test_json_of_hostile_text_means_what_was_stored(relayscope: Relayscope) -> None:
    """Escaped on its way, the same when it is read."""
    trace = json.loads(relayscope("trace", "--json", HOSTILE_TRACE_ID.hex).stdout)
    spans, records = samples.hostile_call()
    assert trace["spans"][0]["name"] == spans[0].name
    assert trace["messages"][0]["attributes"] == records[0].attributes | {
        CHANNEL_SEQUENCE: trace["messages"][0]["sequence"]
    }


def test_a_limit_is_kept_and_said(relayscope: Relayscope) -> None:
    """The command says that something is left out."""
    result = relayscope("trace", "--limit", "2", TRACE_ID.hex)
    assert "more than 2 spans: --limit · more than 2 records: --limit" in result.stdout
    trace = json.loads(relayscope("trace", "--limit", "2", "--json", TRACE_ID.hex).stdout)
    assert trace["complete"] is False
    assert len(trace["messages"]) == 2


@pytest.mark.parametrize(
    "arguments",
    [["trace", TRACE_ID.hex], ["sql", "select * from logs"], ["messages"], ["calls", "--json"]],
)
def test_output_that_nobody_reads_ends_quietly(stored: str, arguments: list[str]) -> None:
    """As with `| head`: no traceback, no message, no error."""
    statement = "select repeat('x', 1000) from generate_series(1, 100000)"
    arguments = [*arguments[:-1], statement] if arguments[0] == "sql" else arguments
    with subprocess.Popen(
        [*COMMAND, *arguments],
        env=collector_environment({"RELAYSCOPE_DATABASE_URL": stored}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE) == 0


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", [["sql", "select 1"], ["messages"], ["sql", "select"]])
def test_output_for_which_there_is_no_room_is_said_so(stored: str, arguments: list[str]) -> None:
    """In one line, as of a full disk, and with an exit code."""
    statement = "select repeat('x', 1000) from generate_series(1, 1000)"
    arguments = [arguments[0], statement] if arguments[-1] == "select" else arguments
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, *arguments],
            env=collector_environment({"RELAYSCOPE_DATABASE_URL": stored}),
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=PATIENCE,
            check=False,
        )
    assert done.stderr == b"Error: the output cannot be written: No space left on device\n"
    assert done.returncode == 1


def test_two_forms_at_a_time_are_refused(relayscope: Relayscope) -> None:
    """Not the one that happens to come last."""
    for arguments in (["--json", "--csv"], ["--csv", "--json"]):
        result = relayscope("sql", "select 1", *arguments)
        assert result.returncode == 2
        assert "give --json or --csv, not both" in result.stderr


def test_the_locale_may_be_anything(stored: str) -> None:
    """Arrows become escapes where there are none; programs get UTF-8 regardless."""
    ascii_only = {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    environment = collector_environment({"RELAYSCOPE_DATABASE_URL": stored, **ascii_only})
    plain = run([*COMMAND, "trace", TRACE_ID.hex], environment)
    assert plain.returncode == 0
    assert r"\u2192 tools/call #3" in plain.stdout
    exact = run([*COMMAND, "sql", "--json", "select 'é' as e"], environment)
    assert json.loads(exact.stdout) == {"e": "é"}


def test_sql_in_a_terminal_is_a_table(terminal: Terminal) -> None:
    """Aligned, with a heading and the number of rows."""
    shown = STYLE.sub(
        "",
        terminal(
            "sql",
            "select component, count(*) from spans group by 1 "
            "having component ~ '^[a-z-]+$' order by 1",
        ),
    )
    assert shown == (
        "component    count\n"
        "───────────  ─────\n"
        "client           1\n"
        "iccm-relay       4\n"
        "time-server      1\n"
        "(3 rows)\n"
    )  # fmt: skip


def test_sql_in_a_pipe_is_tab_separated(relayscope: Relayscope) -> None:
    """One line per row, as PostgreSQL's `copy` writes and reads it."""
    result = relayscope("sql", r"select E'a\tb\\c\nd' as one, null as two, 3 as three")
    assert result.stdout == "one\ttwo\tthree\na\\tb\\\\c\\nd\t\\N\t3\n"


def test_sql_as_csv_is_exact(relayscope: Relayscope, stored: str) -> None:
    """Values that are read back from CSV are those that are stored."""
    result = subprocess.run(
        [*COMMAND, "sql", "--csv", "select name, status_message from spans order by start_time"],
        env=collector_environment({"RELAYSCOPE_DATABASE_URL": stored}),
        capture_output=True,
        check=True,
        timeout=PATIENCE,
    )
    assert b"\r\n" in result.stdout
    header, *rows = csv.reader(io.StringIO(result.stdout.decode(), newline=""))
    assert header == ["name", "status_message"]
    expected = [*samples.relayed_call()[0], *samples.hostile_call()[0]]
    assert rows == [
        [one.name, one.status_message or ""] for one in sorted(expected, key=lambda s: s.start)
    ]


def test_sql_as_json_lines_is_one_object_per_row(relayscope: Relayscope) -> None:
    """With the attributes as JSON, not as text of it."""
    result = relayscope("sql", "--json", "select name, attributes from spans order by start_time")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    expected = [*samples.relayed_call()[0], *samples.hostile_call()[0]]
    assert rows == [
        {"name": one.name, "attributes": one.attributes}
        for one in sorted(expected, key=lambda s: s.start)
    ]


def test_sql_can_be_read_from_standard_input(relayscope: Relayscope) -> None:
    """For statements of many lines."""
    assert relayscope("sql", "-", stdin="select\n1\nas a;\n").stdout == "a\n1\n"


def test_wrong_sql_ends_with_postgresqls_message(relayscope: Relayscope) -> None:
    """Exit code 1, the place marked, no traceback."""
    result = relayscope("sql", "selct 1")
    assert result.returncode == 1
    assert result.stderr == ('Error: syntax error at or near "selct"\nLINE 1: selct 1\n        ^\n')
