"""Faults of backends are found without being looked for: from the wire, through a real collector.

Each of the backends has the manners of one found in the field (`websocket_backend.py`). A client
that runs under relayscope-instrument says the same to each of them and to a correct one.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg
import pytest

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

TOOLS = {
    "correct": "correct_tool",
    "gates": "gates_create_document",
    "dewey": "dewey_search",
    "fiedler": "fiedler_send",
    "playfair": "playfair_diagram",
    "marco": "marco_goto",
    "godot": "godot_logger_set_level",
    "horace": "horace_register",
}


class Difference(NamedTuple):
    """A row of `compare_peers`."""

    method: str
    occasion: str
    kind: str
    path: str
    left: str | None
    right: str | None
    difference: str


class Visited(NamedTuple):
    """Addresses of the backends, and a connection to what was recorded of them."""

    peers: dict[str, str]
    connection: psycopg.Connection[Any]

    def compare(self, name: str, method: str | None = None) -> set[Difference]:
        """Return what only one of a backend and the correct one sends."""
        rows = self.connection.execute(
            "select * from relayscope.compare_peers(%s, %s, %s)",
            (method, self.peers[name], self.peers["correct"]),
        )
        return {Difference(*row) for row in rows}


@pytest.fixture(scope="module")
def visited(shared_collector: Collector, shared_database_url: str) -> Iterator[Visited]:
    """All backends, visited once."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{shared_collector.grpc}")
    with ExitStack() as stack, psycopg.connect(shared_database_url, autocommit=True) as connection:
        background = Background(stack)
        ports = {name: background.websocket_backend(name, environment, wrap=[]) for name in TOOLS}
        visits = [f"ws://127.0.0.1:{ports[name]}={tool}" for name, tool in TOOLS.items()]
        client = instrumented("visitor", python("websocket_visitor.py", *visits))
        finished = run(client, environment)
        assert finished.returncode == 0, finished.stderr
        connection.execute("set search_path = relayscope")
        eventually(
            lambda: (
                connection.execute(
                    "select count(distinct peer) from messages where method = 'resources/list'"
                    " and direction = 'received'"
                ).fetchone()
                == (len(TOOLS),)
            )
        )
        yield Visited({name: f"127.0.0.1:{port}" for name, port in ports.items()}, connection)


def only(differences: set[Difference], *wanted: tuple[str, str, str, str]) -> set[Difference]:
    """Those at these places, and each place must have one: method, occasion, path, difference."""
    found = {one for one in differences if (one[0], one[1], one[3], one[6]) in wanted}
    assert {(one[0], one[1], one[3], one[6]) for one in found} == set(wanted), differences
    return found


def test_an_answer_to_a_notification_without_an_id_is_found(visited: Visited) -> None:
    """Gates: error -32603 with no id at all, where the correct backend says nothing."""
    (answer,) = only(
        visited.compare("gates", "notifications/initialized"),
        ("notifications/initialized", "answer_to_notification", "$", "only_left"),
    )
    assert answer.kind == "error"
    assert answer.left is not None
    assert "-32603" in answer.left
    assert "Unknown method" in answer.left
    assert '"id"' not in answer.left
    assert answer.right is None


@pytest.mark.parametrize("name", ["dewey", "fiedler"])
def test_an_answer_to_a_notification_whose_id_is_null_is_found(visited: Visited, name: str) -> None:
    """Dewey and Fiedler: error -32601 with `id: null`."""
    (answer,) = only(
        visited.compare(name, "notifications/initialized"),
        ("notifications/initialized", "answer_to_notification", "$", "only_left"),
    )
    assert answer.left is not None
    assert "-32601" in answer.left
    assert '"id": null' in answer.left


def test_the_order_of_members_is_found(visited: Visited) -> None:
    """Gates: jsonrpc, id, result."""
    (order,) = only(visited.compare("gates", "initialize"), ("initialize", "answer", "$", "order"))
    assert (order.left, order.right) == ('["jsonrpc","id","result"]', '["jsonrpc","result","id"]')


@pytest.mark.parametrize(
    ("name", "server"),
    [("gates", "gates"), ("dewey", "dewey-mcp-server"), ("fiedler", "fiedler")],
)
def test_the_name_of_a_server_is_compared(visited: Visited, name: str, server: str) -> None:
    """As it says itself in `initialize`."""
    (named,) = only(
        visited.compare(name, "initialize"),
        ("initialize", "answer", "$.result.serverInfo.name", "value"),
    )
    assert (named.left, named.right) == (f'"{server}"', '"correct"')


def test_one_code_for_all_errors_is_found(visited: Visited) -> None:
    """Gates: -32603 where -32601 is due."""
    (code,) = only(
        visited.compare("gates", "resources/list"),
        ("resources/list", "answer", "$.error.code", "value"),
    )
    assert (code.left, code.right) == ("-32603", "-32601")


def test_a_request_by_a_tools_name_that_is_answered_is_found(visited: Visited) -> None:
    """Dewey: takes `method=<tool>` for a call, where the correct backend knows no such method."""
    (taken,) = only(visited.compare("dewey"), ("dewey_search", "answer", "$", "only_left"))
    assert taken.kind == "result"
    (refused,) = only(visited.compare("dewey"), ("correct_tool", "answer", "$", "only_right"))
    assert refused.kind == "error"


def test_a_failure_that_is_not_said_to_be_one_is_found(visited: Visited) -> None:
    """Fiedler: the error of a tool as mere text, without `isError`."""
    only(
        visited.compare("fiedler", "tools/call"),
        ("tools/call", "answer", "$.result.isError", "only_right"),
    )


def test_a_handshake_without_its_parts_is_found(visited: Visited) -> None:
    """Playfair: no protocolVersion, no serverInfo, capabilities in a list, answers without id."""
    differences = visited.compare("playfair")
    (_, _, capabilities) = sorted(
        only(
            differences,
            ("initialize", "answer", "$.result.protocolVersion", "only_right"),
            ("initialize", "answer", "$.result.serverInfo", "only_right"),
            ("initialize", "answer", "$.result.capabilities", "type"),
        ),
        key=lambda one: one.difference,
    )
    assert (capabilities.left, capabilities.right) == ('["tools"]', '{"tools": {}}')
    (answer,) = only(
        differences, ("notifications/initialized", "answer_to_notification", "$", "only_left")
    )
    assert answer.left is not None
    assert "-32601" in answer.left
    assert '"id"' not in answer.left


def test_a_failure_inside_the_text_is_found(visited: Visited) -> None:
    """Playfair: `{"error": true}` in the text of a result."""
    only(
        visited.compare("playfair", "tools/call"),
        ("tools/call", "answer", "$.result.isError", "only_right"),
        ("tools/call", "answer", "$.result.content[*].text::json", "only_left"),
    )


def test_a_notification_that_nobody_asked_for_is_found(visited: Visited) -> None:
    """Marco: sends `notifications/initialized`, which only clients may."""
    (sent,) = only(
        visited.compare("marco", "notifications/initialized"),
        ("notifications/initialized", "unprompted", "$", "only_left"),
    )
    assert sent.kind == "notification"


def test_errors_until_a_backend_is_ready_are_found(visited: Visited) -> None:
    """Marco: -32000 for the first `tools/list`."""
    (refused,) = only(
        visited.compare("marco", "tools/list"), ("tools/list", "answer", "$", "only_left")
    )
    assert refused.left is not None
    assert (refused.kind, "-32000" in refused.left) == ("error", True)


@pytest.mark.parametrize("name", ["godot", "horace"])
def test_a_traceback_in_an_error_is_found(visited: Visited, name: str) -> None:
    """Godot and Horace tell in `error.data` where their code is."""
    only(
        visited.compare(name, "resources/list"),
        ("resources/list", "answer", "$.error.data", "only_left"),
    )


def test_two_messages_are_compared_by_their_ids(visited: Visited) -> None:
    """`message_diff` of two handshakes finds what `compare_peers` finds of them."""
    texts: dict[str, str] = dict(
        visited.connection.execute(
            "select peer, body from messages where method = 'initialize' and direction = 'received'"
        ).fetchall()
    )
    rows = visited.connection.execute(
        'select path, "left", "right", difference from message_diff(%s, %s)',
        (texts[visited.peers["playfair"]], texts[visited.peers["correct"]]),
    )
    found = {row[0]: row[1:] for row in rows}
    assert found["$.result.capabilities"] == ('["tools"]', '{"tools": {}}', "type")
    assert found["$.result.protocolVersion"] == (None, '"2024-11-05"', "only_right")
    assert found["$.result.serverInfo"][2] == "only_right"
    assert set(found) == {
        "$.result.capabilities",
        "$.result.protocolVersion",
        "$.result.serverInfo",
    }
