"""Promises about the backends of the field, behind a relay: one query finds what is odd about each.

Rows of the table of real wire differences (`websocket_backend.py` has their manners), from the wire
through a real relay, collector and database.
"""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from tests.fix_programs import (
    Background,
    eventually,
    host_environment,
    instrumented,
    line,
    python,
    run,
)

if TYPE_CHECKING:
    from tests.fix_collector import Collector

TOOLS = {
    "gates": "gates_create_document",
    "dewey": "dewey_search",
    "fiedler": "fiedler_send",
    "playfair": "playfair_diagram",
    "marco": "marco_goto",
    "godot": "godot_logger_set_level",
    "horace": "horace_register",
}

NUMBERS = itertools.count(1)

ODD = """
    select odd, kind, method, error_code from relayscope.odd_messages
     where component = %s order by time
"""
ODD_OF: dict[str, list[tuple[str, str, str | None, int | None]]] = {
    "gates": [("answer_to_notification", "error", None, -32603)],
    "dewey": [("answer_to_notification", "error", None, -32601)],
    "fiedler": [("answer_to_notification", "error", None, -32601)],
    "playfair": [("answer_to_notification", "error", None, -32601)],
    "marco": [("wrong_side", "notification", "notifications/initialized", None)],
    "godot": [],
    "horace": [],
}


@pytest.fixture(scope="module")
def told(shared_collector: Collector, shared_database_url: str) -> tuple[dict[str, str], str]:
    """Environment of programs that are recorded, and URL of the database with their records."""
    endpoint = f"http://{shared_collector.grpc}"
    return host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=endpoint), shared_database_url


def relayed(
    name: str, told: tuple[dict[str, str], str], background: Background
) -> tuple[str, list[Any]]:
    """Call a backend's tool, so that it fails, through a relay; return its name and messages."""
    environment, url = told
    component = f"relay-{name}-{next(NUMBERS)}"
    port = background.websocket_backend(name, environment, wrap=[])
    relay = instrumented(component, python("websocket_relay.py", f"{name}=ws://127.0.0.1:{port}"))
    call = line(id=2, method="tools/call", params={"name": TOOLS[name], "arguments": {"fail": 1}})

    run(relay, environment, line(id=1, method="initialize", params={}) + call)

    # Marco refuses to list its tools, and the relay does not survive that.
    expected = 7 if name == "marco" else 9 + len(ODD_OF[name])
    with psycopg.connect(url, autocommit=True) as connection:

        def found() -> list[Any]:
            return connection.execute(
                "select direction, kind, method, error_code, body, peer from relayscope.messages"
                " where component = %s order by time",
                (component,),
            ).fetchall()

        eventually(lambda: len(found()) >= expected)
        return component, found()


@pytest.mark.parametrize("name", TOOLS)
def test_one_query_finds_what_is_odd_about_each_backend(
    told: tuple[dict[str, str], str], background: Background, name: str
) -> None:
    """`odd_messages` has what each says against the specification, and nothing of the others."""
    component, _ = relayed(name, told, background)

    with psycopg.connect(told[1], autocommit=True) as connection:
        assert connection.execute(ODD, (component,)).fetchall() == ODD_OF[name]


@pytest.mark.parametrize("name", ["fiedler", "playfair"])
def test_a_failure_that_is_not_said_to_be_one_is_in_the_text(
    told: tuple[dict[str, str], str], background: Background, name: str
) -> None:
    """No `isError`, so no failed span; the record has what the backend said."""
    _, messages = relayed(name, told, background)

    (answer,) = (
        json.loads(body)
        for direction, kind, method, _, body, peer in messages
        if (direction, kind, method) == ("received", "result", "tools/call")
    )
    assert "isError" not in answer["result"]
    assert "it failed" in answer["result"]["content"][0]["text"]


def test_a_backend_that_is_not_ready_fails_the_call_that_it_refuses(
    told: tuple[dict[str, str], str], background: Background
) -> None:
    """Marco answers `tools/list` with -32000: an error of the relay's own call."""
    component, messages = relayed("marco", told, background)

    errors = [(method, code) for _, kind, method, code, *_ in messages if kind == "error"]
    assert errors == [("tools/list", -32000)]
    with psycopg.connect(told[1], autocommit=True) as connection:
        spans = connection.execute(
            "select status, attributes ->> 'error.type' from relayscope.spans"
            " where component = %s and kind = 'client' and name = 'tools/list'",
            (component,),
        ).fetchall()
    assert spans == [("error", "-32000")]
