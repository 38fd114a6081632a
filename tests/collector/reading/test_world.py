"""A new user's world: a relay whose backends have faults, each found by one list and one trace.

Everything that goes wrong looks the same to the client: `tool failed`.
"""

from __future__ import annotations

import json
import re
import subprocess
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest
from playwright.sync_api import expect

from relayscope.collector.render.labels import NO_ANSWER
from relayscope.conventions.attributes import ERROR_STOPPED_READING
from tests.fix_collector import PATIENCE, collector_environment
from tests.fix_command import warm_relayscope
from tests.fix_programs import (
    Background,
    eventually,
    host_environment,
    instrumented,
    python,
    run,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fix_collector import Collector
    from tests.fix_page import OpenPage

FAULTS: Final = ("works", "string_id", "object_content", "swallows", "late")
CALLS: Final = [("works", {"name": "a"})] * 2 + [
    *[("swallows", {"name": "b"})] * 10,
    *[(fault, {"name": "c"}) for fault in ("string_id", "object_content", "late")],
    # Calls after which the late answer has arrived.
    ("swallows", {"name": "d"}),
    ("string_id", {"name": "d"}),
    ("works", {"name": "d"}),
]
README: Final = Path(__file__).parents[3] / "README.md"


@dataclass
class World:
    """Access to the recorded traffic, as a user has it."""

    database_url: str

    def ask(self, command: str) -> str:
        """Run a command of `relayscope`."""
        asked = subprocess.run(
            [*warm_relayscope(), *command.split()],
            env=collector_environment({"RELAYSCOPE_DATABASE_URL": self.database_url}),
            capture_output=True,
            encoding="utf-8",
            timeout=PATIENCE,
            check=False,
        )
        assert (asked.returncode, asked.stderr) == (0, "")
        return asked.stdout

    def rows(self, command: str) -> list[dict[str, Any]]:
        """Return what a list has, in JSON."""
        return [json.loads(line) for line in self.ask(f"{command} --json").splitlines()]


@pytest.fixture(scope="module")
def world(shared_collector: Collector, shared_database_url: str) -> Iterator[World]:
    """The recorded traffic of a client's calls through the relay."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{shared_collector.grpc}")
    found = World(shared_database_url)
    with ExitStack() as stack:
        background = Background(stack)
        ports = [
            background.listening(
                instrumented(fault, python("world_backend.py", fault, "0")), environment
            )
            for fault in FAULTS
        ]
        relay = python("world_relay.py", *(f"ws://127.0.0.1:{port}" for port in ports))
        client = python("client.py", json.dumps(CALLS), "--stdio", *instrumented("relay", relay))
        finished = run(instrumented("client", client), environment)
        assert finished.returncode == 0, finished.stderr
        answers = json.loads(finished.stdout)["answers"]
        failed = [
            tool
            for (tool, _), answer in zip(CALLS, answers, strict=True)
            if "tool failed" in answer
        ]
        # What the user sees.
        assert failed == ["swallows", "string_id", "object_content", "late", "string_id"]
        eventually(lambda: len(found.rows("calls --component relay --side client")) == 28)
        yield found


def test_problems_say_who_does_what_wrong(world: World) -> None:
    """Each fault is said of the backend, or the relay, that has it; not of who passed it on."""
    found = {
        (one["component"], one["listed"].get("tool"), one["kind"]): one["what"]
        for one in world.rows("problems")
        if one["in_list"] == "calls" and one["kind"] != "repeated"
    }

    assert found.keys() == {
        ("swallows", "swallows", "unanswered"),
        ("string_id", "string_id", "unanswered"),
        ("relay", "late", "unanswered"),
        ("relay", "object_content", "failed"),
    }
    assert "id of another type" in found["string_id", "string_id", "unanswered"]
    assert "when nobody waited any more" in found["relay", "late", "unanswered"]
    assert "nothing was sent back" in found["swallows", "swallows", "unanswered"]


def test_the_same_call_again_and_again_is_a_problem(world: World) -> None:
    """The client asked `swallows` ten times for the same; the relay has only passed it on."""
    repeated = [one for one in world.rows("problems") if one["kind"] == "repeated"]

    assert {one["component"] for one in repeated} == {"client"}
    assert {one["occasions"] for one in repeated} == {10}


def test_each_fault_is_found_by_clicking(world: World, open_page: OpenPage) -> None:
    """From the first page to the problems, and from each of them to the very place in its trace."""
    page = open_page("/")
    expect(page.locator("svg a", has_text="swallows")).not_to_have_count(0)
    page.get_by_role("link", name="problems", exact=False).first.click()
    for tool in ("swallows", "string_id", "late", "object_content"):
        problem = page.locator("article", has_text=f"{tool}").first
        place = problem.get_by_role("link", name="Open the trace").get_attribute("href")
        assert place is not None
        assert re.fullmatch(r"/trace/[0-9a-f]{32}\?at=[0-9a-f]{16}", place)
        assert problem.get_by_role("link", name="calls").count() == 1
    swallowed = page.locator("article", has_text="swallows did not answer").first
    swallowed.get_by_role("link", name="Open the trace").click()
    page.locator("aside", has_text="swallows").wait_for()
    assert page.locator("main", has_text="relay").count() == 1


def trace_of(world: World, row: dict[str, Any]) -> str:
    """Return the trace of a row, as a user asks for it, by the beginning of its id."""
    return world.ask(f"trace {row['trace_id'][:8]}")


@pytest.mark.parametrize(
    "command", ["calls --odd", "calls --outcome unanswered", "calls --failed", "messages --odd"]
)
def test_the_lists_are_those_of_the_readme(command: str) -> None:
    """A new user looks for them there."""
    assert f"\nrelayscope {command}" in README.read_text()


def test_an_answer_with_the_id_as_a_string_is_found(world: World) -> None:
    """`calls --odd` has it, and the trace shows both ids beside each other."""
    found = world.rows("calls --odd --component relay --tool string_id")

    assert {(row["outcome"], row["error_type"], row["odd"]) for row in found} == {
        ("unanswered", ERROR_STOPPED_READING, "id_type")
    }
    trace = trace_of(world, found[0])
    (answered,) = re.findall(r'← result #"(\d+)".* ! id_type', trace)
    assert f"→ tools/call #{answered} " in trace
    assert NO_ANSWER[ERROR_STOPPED_READING] in trace


def test_a_content_that_is_no_list_is_found(world: World) -> None:
    """`calls --failed` has the relay's own failure, and the trace what it was given before it."""
    (found,) = world.rows("calls --failed --component relay --tool object_content")

    assert (found["side"], found["outcome"]) == ("server", "protocol_error")
    assert '"content": {"type": "text"' in trace_of(world, found)


def test_a_call_that_was_swallowed_is_found(world: World) -> None:
    """`calls --outcome unanswered` has it, with how long the relay waited for it."""
    (found,) = world.rows("calls --outcome unanswered --component relay --tool swallows")

    assert (found["duration"], found["answer"], found["odd"]) == (None, None, None)
    assert found["error_type"] == ERROR_STOPPED_READING
    # A channel that closes with the relay would have been open for seconds more.
    assert found["waited"] < "00:00:01"
    trace = trace_of(world, found)
    assert "given up after" in trace
    assert "error -32603" in trace


def test_an_answer_that_comes_late_is_found(world: World) -> None:
    """`messages --odd` has it, and the trace shows it behind the answer that the client got."""
    (found,) = world.rows("messages --odd --component relay --tool late")

    assert (found["odd"], found["direction"]) == ("late_answer", "received")
    trace = trace_of(world, found)
    (answered,) = re.findall(r"([\d.]+) ms .*→ error -32603", trace)
    (came,) = re.findall(r"([\d.]+) ms .*! late_answer", trace)
    assert float(answered) < float(came)


def test_nothing_is_said_of_the_backend_that_works(world: World) -> None:
    """Nor of calls that went well: what is listed is what is wrong."""
    assert world.rows("calls --failed --tool works") == []
    assert world.rows("calls --odd --tool works") == []
    wrong = world.rows("calls --failed --component relay --side client")
    assert sorted(row["tool"] for row in wrong) == ["late", "string_id", "string_id", "swallows"]


def test_calls_that_nobody_answered_are_in_no_figure(world: World) -> None:
    """`stats` counts them by themselves, and its percentiles are those of answers."""
    figures = {
        (row["callee"], row["method"]): row
        for row in world.rows("stats")
        if row["view"] == "service_calls"
    }

    swallowing = figures["swallows", "tools/call"]
    assert (swallowing["calls"], swallowing["unanswered"]) == (11, 1)
    assert swallowing["longest"] < "00:00:00.5"
    assert figures["string_id", "tools/call"]["p95"] is None
