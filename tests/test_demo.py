"""Promises of the demo: real programs, one trace for each call, and nothing left behind."""

import os
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, text

from relayscope.collector.demo.processes import Processes
from relayscope.collector.demo.scenario import SECRET
from relayscope.storage import EmbeddedServer, create_engine
from tests.fix_programs import SCRIPTS, eventually, host_environment


@dataclass
class Demo:
    """A finished demo, the home that it had, and the database that it has left."""

    home: Path
    output: str
    page: str
    connection: Connection

    def rows(self, statement: str, **values: Any) -> list[Any]:
        """Return the rows of a query."""
        return list(self.connection.execute(text(statement), values).all())


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """One run of `relayscope demo`."""
    home: Path = tmp_path_factory.mktemp("home")
    output, page = "", ""
    others = home / "others"
    others.mkdir()
    for command in ("relayscope", "relayscope-instrument"):
        (others / command).write_text("#!/bin/sh\nexit 1\n")
        (others / command).chmod(0o755)
    with subprocess.Popen(
        [str(SCRIPTS / "relayscope"), "demo", "--keep", "--data-dir", str(home / "its data")],
        env=host_environment(HOME=str(home), PATH=f"{others}:{os.environ['PATH']}"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            output += line
            if shown := re.fullmatch(r"  http://(127\.0\.0\.1:\d+)/\n", line):
                with urllib.request.urlopen(f"http://{shown[1]}/problems", timeout=60) as answer:
                    page = answer.read().decode()
                running.send_signal(signal.SIGINT)
    assert running.returncode == 0, output
    with EmbeddedServer.start(home / "its data") as server:
        engine = create_engine(server.url)
        with engine.connect() as connection:
            yield Demo(home, output, page, connection)
        engine.dispose()


@pytest.mark.parametrize(
    ("name", "components"),
    [
        ("tools/call convert_time", ["client", "mcp-proxy", "mcp-proxy", "time"]),
        ("tools/call dewey_search", ["client", "relay", "relay", "dewey"]),
    ],
)
def test_a_relayed_call_is_one_trace_from_client_to_backend_and_back(
    demo: Demo, name: str, components: list[str]
) -> None:
    """Four spans in a chain over three processes, and four legs, each seen from both its ends."""
    spans = demo.rows(
        """
        with recursive chain as (
            select span_id, component, kind, trace_id, 1 as depth from spans
             where name = :name and parent_span_id is null
            union all
            select s.span_id, s.component, s.kind, s.trace_id, depth + 1
              from spans as s
              join chain as c on s.parent_span_id = c.span_id and s.trace_id = c.trace_id
        )
        select component, kind, trace_id from chain order by depth
        """,
        name=name,
    )
    assert [span.component for span in spans] == components
    assert [span.kind for span in spans] == ["client", "server", "client", "server"]

    trace_id = spans[0].trace_id
    (processes,) = demo.rows(
        "select count(distinct resource ->> 'service.instance.id') from spans where trace_id = :id",
        id=trace_id,
    )
    assert processes[0] == 3

    legs = demo.rows(
        """
        select component, attributes ->> 'relayscope.message.direction' as direction,
               attributes ->> 'relayscope.message.kind' as kind
          from logs
         where trace_id = :id and event_name = 'mcp.message'
         order by time, time_unix_nano
        """,
        id=trace_id,
    )
    _, relay, _, backend = components
    assert sorted(tuple(leg) for leg in legs) == sorted(
        [
            ("client", "sent", "request"),
            (relay, "received", "request"),
            (relay, "sent", "request"),
            (backend, "received", "request"),
            (backend, "sent", "result"),
            (relay, "received", "result"),
            (relay, "sent", "result"),
            ("client", "received", "result"),
        ]
    )


def test_what_one_end_of_a_leg_sent_is_what_the_other_received(demo: Demo) -> None:
    """Every text that was sent was received, to the byte."""
    unmatched = demo.rows(
        """
        select body, sum(case attributes ->> 'relayscope.message.direction'
                             when 'sent' then 1 else -1 end) as difference
          from logs where event_name = 'mcp.message'
         group by body
        having sum(case attributes ->> 'relayscope.message.direction'
                       when 'sent' then 1 else -1 end) <> 0
        """
    )
    assert unmatched == []


def test_a_wrong_port_is_a_failed_span_and_a_missing_tool(demo: Demo) -> None:
    """The relay's connection to the wrong port failed, and its tools lack that backend's."""
    (failed,) = demo.rows(
        """
        select s.component, s.kind, s.status, s.attributes ->> 'error.type' as error, p.name
          from spans as s join spans as p
            on p.trace_id = s.trace_id and p.span_id = s.parent_span_id
         where s.name = 'connect'
        """
    )
    assert tuple(failed) == ("relay", "client", "error", "ConnectionRefusedError", "initialize")

    (listed,) = demo.rows(
        """
        select array(select jsonb_path_query(json, '$.result.tools[*].name') #>> '{}')
          from messages
         where component = 'relay' and method = 'tools/list' and kind = 'result'
           and direction = 'sent'
        """
    )
    assert listed[0] == ["dewey_search", "playfair_diagram"]

    below = demo.rows(
        """
        select s.kind, s.component from spans as s
         where s.trace_id = (select trace_id from spans
                              where name = 'tools/call gates_create_document'
                                and parent_span_id is null)
         order by s.start_time
        """
    )
    assert [tuple(span) for span in below] == [("client", "client"), ("server", "relay")]


def test_a_secret_argument_is_in_no_column_of_any_table(demo: Demo) -> None:
    """The demo's api_key was sent to a backend, and the database does not have it anywhere."""
    tables = demo.rows(
        """
        select format('%I.%I', schemaname, tablename) from pg_tables
         where schemaname not in ('pg_catalog', 'information_schema')
        """
    )
    assert len(tables) > 5
    searched = 0
    for (table,) in tables:
        (row,) = demo.rows(
            f"select count(*) as all, count(*) filter (where t::text like :secret)"  # noqa: S608  # names from the catalogue
            f" as found from {table} as t",
            secret=f"%{SECRET}%",
        )
        assert row.found == 0, table
        searched += row.all
    assert searched > 50
    assert demo.rows("select 1 from logs where body like '%[REDACTED:%'") != []
    assert SECRET not in demo.output


def test_the_output_shows_the_calls_and_how_to_go_on(demo: Demo) -> None:
    """A reader sees each trace and the commands to look further."""
    for wanted in ("convert_time", "dewey_search", "ConnectionRefusedError", "relayscope sql"):
        assert wanted in demo.output


def test_what_it_says_to_type_can_be_typed(demo: Demo) -> None:
    """A folder with a space is in quotes, and another environment's command is not ours."""
    lines = [line for line in demo.output.splitlines() if "--data-dir" in line]
    assert lines
    for line in lines:
        command, *arguments = shlex.split(line)
        assert Path(command).resolve() == (SCRIPTS / "relayscope").resolve()
        assert arguments[-1] == str(demo.home / "its data")


def test_the_page_says_which_port_is_wrong(demo: Demo) -> None:
    """While the demo is kept, its page names who could not connect, and what cannot be called."""
    assert "could not connect to 127.0.0.1:" in demo.page
    assert "ConnectionRefusedError" in demo.page
    assert "Unknown tool: gates_create_document" in demo.page


def test_the_demo_leaves_nothing_running(demo: Demo) -> None:
    """Nothing that the demo has started is there any more, a forwarder a few seconds later."""
    assert demo.output
    eventually(lambda: _running_with(demo.home) == [])


def _running_with(home: Path) -> list[str]:
    """The commands of the processes that have a home, which they inherit."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            if f"HOME={home}\0" in (process / "environ").read_text(errors="replace"):
                found.append((process / "cmdline").read_text(errors="replace"))
    return found


def test_programs_hear_ctrl_c_also_when_the_demo_was_started_in_the_background(
    tmp_path: Path,
) -> None:
    """A shell lets its background commands ignore it; programs that do are waited for in vain."""
    says = "import signal; print(signal.getsignal(signal.SIGINT), flush=True); signal.pause()"
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Processes(tmp_path) as processes:
            program = processes.start("program", [sys.executable, "-c", says], {})
            assert "default_int_handler" in program.wait_for_line(lambda line: line)
    finally:
        signal.signal(signal.SIGINT, before)
