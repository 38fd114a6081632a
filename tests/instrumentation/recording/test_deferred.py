"""A text that takes long to be searched for secrets holds no thread of the host up, and is kept."""

import base64
import json
import os
import random
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relayscope.conventions.attributes import MESSAGE_CUT, MESSAGE_SHA256, MESSAGE_SIZE
from relayscope.instrumentation.recording import bounds, deferred
from relayscope.instrumentation.recording.deferred import Deferred
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.sanitizer import Sanitizer
from tests.fix_programs import eventually, host_environment, run
from tests.fix_telemetry import Telemetry

ROWS: Final = json.dumps(
    {
        "jsonrpc": "2.0",
        "id": 1,
        "result": [{"id": n, "token": f"kanarie{n}vogel"} for n in range(4000)],
    }
)


@pytest.fixture
def searched_on(monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """The threads on which long texts are searched."""
    threads: list[threading.Thread] = []
    record = Sanitizer.record

    def noting(self: Sanitizer, *arguments: Any) -> Any:
        if len(arguments[1] or "") > bounds.DEAR_LIMIT:
            threads.append(threading.current_thread())
        return record(self, *arguments)

    monkeypatch.setattr(Sanitizer, "record", noting)
    return threads


def received(telemetry: Telemetry, text: str) -> None:
    """Let a message arrive, and wait until it has been recorded."""
    TextExchange(telemetry.exchange).received(Channel.of_pipes("peer"), text)
    telemetry.exchange.log._deferred.flush()  # noqa: SLF001  # what a process does at its end


def test_a_dear_text_is_searched_on_another_thread(
    telemetry: Telemetry, searched_on: list[threading.Thread]
) -> None:
    """It is recorded whole, without its secrets, and the thread is gone afterwards."""
    received(telemetry, ROWS)

    (body,) = telemetry.bodies
    assert json.loads(body)["result"][3999] == {"id": 3999, "token": "[REDACTED:token]"}
    assert threading.current_thread() not in searched_on
    eventually(
        lambda: "relayscope-deferred" not in {thread.name for thread in threading.enumerate()}
    )


def test_an_ordinary_text_is_searched_where_it_crosses(
    telemetry: Telemetry, searched_on: list[threading.Thread]
) -> None:
    """A source file, or rows with one token beside them, cost no thread."""
    rows = [{"id": n, "name": f"row {n}"} for n in range(800)]
    received(telemetry, json.dumps({"jsonrpc": "2.0", "id": 1, "result": [*rows, {"token": "x"}]}))

    assert searched_on == [threading.current_thread()]


def test_where_too_much_waits_a_text_is_cut_and_says_so(
    telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its beginning is kept without secrets, with the size and digest of all, and the reason."""
    monkeypatch.setattr(deferred, "_MOST_BYTES", 1000)
    received(telemetry, ROWS)

    (record,) = telemetry.records
    body = str(record.log_record.body)
    attributes = record.log_record.attributes or {}
    assert "kanarie" not in body
    assert 1000 < len(body) < 2 * bounds.DEAR_LIMIT
    assert attributes[MESSAGE_SIZE] == len(ROWS)
    assert MESSAGE_SHA256 in attributes
    assert attributes[MESSAGE_CUT] == "busy"


def test_a_large_image_leaves_room_for_what_is_behind_it(telemetry: Telemetry) -> None:
    """A screenshot of a megabyte is not what a message's limit is used up by."""
    image = base64.b64encode(random.Random(1).randbytes(1_000_000)).decode()
    content = [
        {"type": "image", "data": image, "mimeType": "image/png"},
        {"type": "text", "text": "x"},
    ]
    received(telemetry, json.dumps({"jsonrpc": "2.0", "id": 1, "result": {"content": content}}))

    (body,) = telemetry.bodies
    first, second = json.loads(body)["result"]["content"]
    assert first["data"].startswith("[BINARY:image/png:1000000:")
    assert second == {"type": "text", "text": "x"}


@settings(deadline=None)
@given(st.lists(st.integers(0, 10), max_size=40))
def test_jobs_are_done_once_and_in_their_order(sizes: list[int]) -> None:
    """This holds for any number of jobs, and none is lost if one fails."""
    done: list[int] = []
    queue = Deferred()

    def job(number: int) -> Callable[[], None]:
        def do() -> None:
            done.append(number)
            if number % 7 == 0:
                raise ValueError(number)

        return do

    taken = [queue.take(size, job(number)) for number, size in enumerate(sizes)]
    queue.flush()
    assert all(taken)
    assert done == list(range(len(sizes)))


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.processes
def test_a_forked_child_does_none_of_its_parents_jobs() -> None:
    """Jobs that wait in the parent are done there, once, and the child's own in the child."""
    gate = threading.Event()
    done: list[str] = []
    queue = Deferred()

    def parents() -> None:
        gate.wait()
        done.append("parent")

    queue.take(1, parents)
    child = os.fork()
    if child == 0:
        queue.take(1, lambda: done.append("child"))
        queue.flush()
        os._exit(done != ["child"])
    gate.set()
    assert os.waitpid(child, 0)[1] == 0
    queue.flush()
    assert done == ["parent"]


SEARCHING_FOR_EVER: Final = """
import re2
from relayscope.instrumentation.recording import deferred

deferred._EXIT_SECONDS = 0.1
pattern, text = re2.compile("(a|b)*c{5}x"), "ab" * 20_000

def search():
    while True:
        pattern.search(text)

queue = deferred.Deferred()
queue.take(1, search)
queue.take(1, lambda: print("done"))
"""


@pytest.mark.processes
def test_a_process_ends_well_while_a_search_takes_too_long() -> None:
    """The search and the jobs behind it are given up, nothing aborts, and stderr says how many."""
    ended = run([sys.executable, "-c", SEARCHING_FOR_EVER], host_environment())

    assert (ended.returncode, ended.stdout) == (0, "")
    assert "2 long messages are not recorded" in ended.stderr
