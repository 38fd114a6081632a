"""`relayscope traces`, `logs`, `messages`, `calls`, `tail`, `diff`, `peers` and `stats`."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
import unicodedata
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import psycopg
import pytest
from click.testing import CliRunner

from relayscope.collector.cli.main import main
from relayscope.conventions.attributes import PEER
from relayscope.conventions.events import (
    EVENT_CHANNEL_CLOSED,
    EVENT_CHANNEL_OPENED,
    EVENT_DELIVERY,
    EVENT_MESSAGE,
)
from tests.collector.reading import samples
from tests.collector.reading.conftest import COLUMNS, COMMAND
from tests.collector.reading.samples import HOSTILE_TRACE_ID, TRACE_ID
from tests.fix_collector import PATIENCE, collector_environment
from tests.fix_programs import ended, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from click.testing import Result

    from relayscope.collector.query.records import Record
    from tests.collector.reading.conftest import Relayscope, Terminal

    Following = tuple[subprocess.Popen[str], IO[str], IO[str]]

STYLE = re.compile(r"\x1b\[[0-9;]*m")
OBEYED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@pytest.fixture(scope="module")
def database_url(shared_database_url: str) -> str:
    """One database for all: nobody here minds what the others have stored later."""
    samples.store(shared_database_url, *samples.relayed_call())
    samples.store(shared_database_url, *samples.hostile_call(), samples.HOSTILE_TRACE_ID)
    return shared_database_url


def called(database_url: str, *arguments: str) -> Result:
    """The command, run in this process."""
    return CliRunner().invoke(main, [*arguments, "--database-url", database_url])


def lines(database_url: str, *arguments: str) -> list[dict[str, Any]]:
    """Return the rows that a command prints with `--json`."""
    result = called(database_url, *arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_messages_are_listed_the_newest_last(database_url: str) -> None:
    """With all of their text, their own attributes, and an id."""
    _, records = samples.relayed_call()
    sent = [record for record in records if record.event_name == EVENT_MESSAGE]
    found = [one for one in lines(database_url, "messages") if one["trace_id"] == str(TRACE_ID)]
    assert [one["body"] for one in found] == [
        one.body for one in sorted(sent, key=lambda record: record.time)
    ]
    last = found[-1]
    assert (last["component"], last["direction"], last["kind"]) == ("client", "received", "result")
    assert last["attributes"][PEER] == last["peer"] == "stdio"
    assert lines(database_url, "messages", "-n", "3") == lines(database_url, "messages")[-3:]


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        (["messages", "--component", "iccm-relay"], 6),
        (["messages", "--component", "iccm-relay", "--peer", "stdio"], 2),
        (["messages", "--peer", "127.0.0.1:9052"], 2),
        (["messages", "--method", "tools/list"], 2),
        (["messages", "--tool", "none"], 0),
        (["messages", "--text", '"timezone":"Europe/Berlin"'], 2),
        (["messages", "--text", "Europe/Berlin", "--component", "client"], 2),
        (["messages", "--text", "%"], 0),
        (["messages", "--attribute", "relayscope.message.odd=orphan_answer"], 1),
        (["messages", "--attribute", "relayscope.message.size=33"], 1),
        (["messages", "--attribute", '{"relayscope.message.size": 33}'], 1),
        (["messages", *["--attribute", "relayscope.message.size=33"] * 2], 1),
        (["messages", "--level", "debug", "--until", "2025-11-23T09:08:00Z"], 1),
        (["messages", "--level", "WARNING", "--until", "2025-11-23T09:08:00Z"], 1),
        (["messages", "--direction", "sent", "--component", "time-server"], 1),
        (["messages", "--kind", "error"], 1),
        (["messages", "--kind", "error", "--kind", "result", "--component", "client"], 1),
        (["messages", "--component", "client", "--component", "time-server"], 4),
        (["messages", "--odd"], 2),
        (["messages", "--odd", "--trace", "4bf92f35"], 1),
        (["messages", "--odd", "--text", "Unknown method"], 1),
        (["messages", "--failed"], 1),
        (["messages", "--trace", "4bf92f", "--trace", "5bf92f"], 11),
        (["messages", "--trace", "4bf92f", "--text", "Europe/Berlin"], 8),
        (["messages", "--since", "2025-11-23T09:07:00Z", "--until", "2025-11-23T09:08:00Z"], 10),
        (["messages", "--since", "10m"], 0),
        (["logs"], 2),
        (["logs", "--level", "error"], 1),
        (["logs", "--text", "gates is away", "--level", "warn"], 1),
        (["calls", "--component", "client"], 1),
        (["calls", "--outcome", "ok", "--component", "time-server"], 1),
        (["calls", "--failed"], 2),
        (["calls", "--failed", "--trace", TRACE_ID.hex], 1),
        (["calls", "--odd", "--trace", TRACE_ID.hex], 1),
        (["calls", "--side", "server", "--slower-than", "9.6ms"], 1),
        (["calls", "--outcome", "ok", "--outcome", "unanswered", "--slower-than", "1s"], 0),
        (["calls", "--sort", "duration", "--since", "2025-11-01"], 6),
        (["calls", "--sort", "duration"], 0),
        (["calls", "--text", "Europe/Berlin", "--method", "tools/call"], 4),
        (["calls", "--attribute", "mcp.method.name=tools/call"], 4),
        (["calls", "--attribute", "mcp.method.name=tools/list", "--failed"], 1),
        (["calls", "--attribute", "mcp.method.name=nothing"], 0),
        (["traces"], 2),
        (["traces", "--component", "time-server"], 1),
        (["traces", "--component", "time-server", "--component", "nobody"], 1),
        (["traces", "--method", "tools/list"], 1),
        (["traces", "--method", "tools/list", "--outcome", "ok"], 0),
        (["traces", "--failed", "--odd"], 2),
        (["traces", "--slower-than", "10ms"], 1),
        (["traces", "--trace", "5bf92f"], 1),
        (["traces", "--text", "Europe/Berlin"], 1),
        (["traces", "--text", "gates is away"], 1),
        (["traces", "--text", "Europe/Berlin", "--component", "nobody"], 0),
        (["traces", "--text", "said by nobody"], 0),
        (["traces", "--text", "Europe/Berlin", "--until", "2025-11-23T09:00:00Z"], 0),
        (["traces", "--attribute", "relayscope.message.size=33"], 1),
        (["traces", "--attribute", "mcp.method.name=tools/call"], 2),
        (["traces", "--attribute", "mcp.method.name=nothing"], 0),
        (["logs", "--trace", "4bf92f35"], 1),
        (["tail", "--trace", "4bf92f35", "--kind", "error"], 1),
        (["tail", "--failed"], 1),
        (["tail", "--odd", "--direction", "received"], 1),
        (["tail", "--component", "iccm-relay", "--level", "warn"], 2),
        (["tail", "--method", "tools/list", "--peer", "127.0.0.1:9052"], 2),
    ],
)
def test_a_filter_leaves_what_fits_it(database_url: str, arguments: list[str], number: int) -> None:
    """And nothing else."""
    assert len(lines(database_url, *arguments)) == number


LISTS = ["traces", "logs", "messages", "calls", "tail", "stats"]


@pytest.mark.parametrize("command", LISTS)
def test_hostile_text_is_shown_and_not_obeyed(
    database_url: str, terminal: Terminal, command: str
) -> None:
    """In a terminal, whose width is kept, in a pipe and as JSON: no command but our own colours."""
    in_terminal = STYLE.sub("", terminal(command)).splitlines()
    assert max(map(len, in_terminal)) <= COLUMNS
    in_pipe = called(database_url, command).stdout.replace("\t", "").splitlines()
    as_json = called(database_url, command, "--json").stdout.splitlines()
    assert "owned" in "".join(in_pipe)
    assert "owned" in "".join(as_json)
    for shown in (in_terminal, in_pipe, as_json):
        assert not {char for char in "".join(shown) if unicodedata.category(char) in OBEYED}


def test_a_pipe_gets_a_heading_and_a_line_for_each(relayscope: Relayscope) -> None:
    """Tab-separated, as from `relayscope sql`."""
    heading, *rest = relayscope("traces").stdout.splitlines()
    assert heading.split("\t")[:3] == ["start_time", "trace_id", "name"]
    assert [line.split("\t")[1] for line in rest] == [str(TRACE_ID), str(HOSTILE_TRACE_ID)]


def test_two_messages_are_compared_by_their_ids(database_url: str) -> None:
    """The relay gave the request another id, another context and another order."""
    sent = lines(database_url, "messages", "--component", "iccm-relay", "--method", "tools/call")
    came, left = (one["message_id"] for one in sent if one["kind"] == "request")
    found = {one["path"]: one for one in lines(database_url, "diff", came, left)}
    assert found["$.id"]["difference"] == "value"
    assert (found["$.id"]["left"], found["$.id"]["right"]) == ("3", "1")
    assert found["$.params._meta.traceparent"]["difference"] == "value"
    assert "$.params.arguments" not in found
    missing = called(database_url, "diff", came, "nobody/1")
    assert (missing.exit_code, missing.stderr) == (1, "Error: no message nobody/1 is stored\n")


def test_two_peers_are_compared(database_url: str) -> None:
    """The command shows what came from only one of the two."""
    arguments = ("--since", "2025-11-01", "--method", "tools/call")
    found = lines(database_url, "peers", "127.0.0.1:9051", "stdio", *arguments)
    places = {(one["occasion"], one["kind"], one["path"], one["difference"]) for one in found}
    assert ("unprompted", "request", "$", "only_right") in places
    assert ("answer", "result", "$", "only_left") not in places


def test_a_component_is_compared_like_a_peer(database_url: str) -> None:
    """By what it sent: the relay heard from its backend what that says that it said."""
    arguments = ("time-server", "127.0.0.1:9051", "--since", "2025-11-01")
    assert lines(database_url, "peers", *arguments) == []


def test_a_peer_is_no_other_than_itself(database_url: str) -> None:
    """A peer does not differ from itself, whatever it has sent."""
    for name in ("stdio", "client"):
        assert lines(database_url, "peers", name, name, "--since", "2025-11-01") == []


@pytest.mark.parametrize("names", [("stdio", "nobody"), ("127.0.0.1:1", "stdio")])
def test_an_unknown_peer_is_refused_and_the_known_are_listed(
    database_url: str, names: tuple[str, str]
) -> None:
    """Nothing differs between two names is not said of one that does not exist."""
    result = called(database_url, "peers", *names, "--since", "2025-11-23")
    assert result.exit_code == 1
    assert f"no message of {'nobody' if 'nobody' in names else '127.0.0.1:1'} is" in result.stderr
    for name in ("127.0.0.1:9051", "iccm-relay", "time-server", "stdio"):
        assert name in result.stderr


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ([1, 2, "3", 4], [5, 6], ('"3"', "6", "type")),
        ([1, 2], ["3", 4], ("2", '"3"', "type")),
        (["a", "b"], ["c", "b"], ('"a"', '"c"', "value")),
        (["b"], ["c", "b"], ('"b"', '"c"', "value")),
    ],
    ids=str,
)
def test_what_differs_is_shown_and_not_the_newest(
    shared_database_url: str,
    left: list[object],
    right: list[object],
    expected: tuple[str, str, str],
) -> None:
    """The newest of both may be equal, or say nothing of the difference."""
    names = [f"{side} {left} {right}" for side in ("left", "right")]
    records = []
    for name, said in zip(names, (left, right), strict=True):
        where = samples.span("77" * 8, None, name, "tools/list", kind="server", times=(0, 1))
        for number, one in enumerate(said):
            body = json.dumps({"id": 1, "result": {"said": one}})
            records.append(samples.message(where, number, "sent", body))
    identity = UUID(int=sum(map(ord, "".join(names))) + 1000)
    samples.store(shared_database_url, [], records, identity)
    (row,) = lines(shared_database_url, "peers", *names, "--since", "2025-11-01")
    assert (row["path"], row["left"], row["right"], row["difference"]) == (
        "$.result.said",
        *expected,
    )


def test_sums_are_shown_in_sections(database_url: str) -> None:
    """There are sections for components, for calls between them, and for missing messages."""
    shown = called(database_url, "stats").stdout
    assert [line for line in shown.splitlines() if line.startswith("# ")] == [
        "# components",
        "# who calls whom",
        "# messages that are missing",
    ]
    assert lines(database_url, "stats", "--since", "10m") == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["messages", "--since", "yesterday"],
        ["messages", "--attribute", "key"],
        ["messages", "--attribute", "{"],
        ["messages", "--level", "loud"],
        ["messages", "--kind", "letter"],
        ["messages", "--trace", "xyz"],
        ["messages", "--trace", "99999"],
        ["calls", "--slower-than", "fast"],
        ["calls", "--sort", "size"],
        ["calls", "--tool", "fine", "--tool", "\udcff"],
        ["calls", "--outcome", "good"],
        ["diff", "one", "two"],
        ["messages", "--component", "\udcff"],
    ],
    ids=str,
)
def test_a_wrong_filter_is_explained(database_url: str, arguments: list[str]) -> None:
    """Usage on stderr, exit code 2, no traceback."""
    result = called(database_url, *arguments)
    assert result.exit_code == 2
    assert "Usage: " in result.stderr
    assert "Traceback" not in result.stderr


@contextmanager
def following(database_url: str, *filters: str) -> Iterator[Following]:
    """`tail -f` in a process of its own."""
    with (
        subprocess.Popen(
            [*COMMAND, "tail", "-f", "--json", *filters],
            env=collector_environment({"RELAYSCOPE_DATABASE_URL": database_url}),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process,
        ended(process),
    ):
        assert process.stdout is not None
        assert process.stderr is not None
        yield process, process.stdout, process.stderr


def test_following_ends_when_nobody_reads(database_url: str) -> None:
    """`tail -f | head` ends though nothing is stored any more, and is no error."""
    with following(database_url) as (process, stdout, stderr):
        assert stdout.readline()
        stdout.close()
        assert process.wait(PATIENCE) == 0
        assert stderr.read() == ""


def test_what_is_stored_is_followed(database_url: str) -> None:
    """`tail -f` shows each record once, soon after it was stored, and ends when interrupted."""
    now = (time.time_ns() - samples.START) / 1e6

    def record(number: int) -> Record:
        return samples.log(None, "followed", now + number, (9, "INFO"), f"record {number}")

    samples.store(database_url, [], [record(1)], UUID(int=1))
    with following(database_url, "--component", "followed") as (process, stdout, stderr):
        assert json.loads(stdout.readline())["body"] == "record 1"
        for number in (2, 3):
            samples.store(database_url, [], [record(number)], UUID(int=number))
            assert json.loads(stdout.readline())["body"] == f"record {number}"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert (stdout.read(), stderr.read()) == ("", "")


def test_following_ends_well_also_while_it_looks(database_url: str) -> None:
    """An interrupt in the midst of a statement ends `tail -f` as one between two does."""
    with (
        psycopg.connect(database_url) as holder,
        following(database_url) as (process, stdout, stderr),
    ):
        assert stdout.readline()
        holder.execute("lock table relayscope_store.log in access exclusive mode")
        eventually(lambda: _waits(holder))
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
        assert stderr.read() == ""


def _waits(holder: psycopg.Connection[tuple[bool]]) -> bool:
    """Return whether another connection waits for a lock of this one."""
    answer = holder.execute(
        "select exists (select from pg_stat_activity"
        " where pg_backend_pid() = any(pg_blocking_pids(pid)))"
    ).fetchone()
    return answer is not None and answer[0]


def test_what_is_said_in_good_order_is_shown_on_request(shared_database_url: str) -> None:
    """Records of channels and delivery crowd no list; those that warn are in it."""
    where = samples.span("00" * 8, None, "orderly", "x", kind="client", times=(0, 1))
    records = [
        replace(samples.log(where, "orderly", number, severity, "said"), event_name=name)
        for number, (name, severity) in enumerate(
            [
                (EVENT_DELIVERY, (0, "")),
                (EVENT_CHANNEL_OPENED, (9, "INFO")),
                (EVENT_CHANNEL_CLOSED, (9, "INFO")),
                (EVENT_CHANNEL_CLOSED, (13, "WARN")),
                (None, (9, "INFO")),
                ("own.event", (9, "INFO")),
            ]
        )
    ]
    samples.store(shared_database_url, [], records, UUID(int=77))
    for command in ("logs", "tail"):
        arguments = (command, "--component", "orderly")
        assert len(lines(shared_database_url, *arguments)) == 3
        assert len(lines(shared_database_url, *arguments, "--all")) == 6
    assert len(lines(shared_database_url, "logs", "--component", "orderly", "--text", "said")) == 3
