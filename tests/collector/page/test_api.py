"""The page's JSON: the questions and the words of the command line."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from click.testing import CliRunner

from relayscope.collector.cli.main import main
from tests.collector.page.conftest import MARKUP, MARKUP_TRACE_ID
from tests.collector.reading.samples import TRACE_ID
from tests.fix_collector import Collector

LISTS = ("traces", "calls", "messages", "logs", "tail")


@pytest.fixture(autouse=True)
def _is_stored(stored: Collector) -> None:
    """All of these ask about the sample traces."""


def printed(database_url: str, *arguments: str) -> list[dict[str, Any]]:
    """Return the rows that a command prints with `--json`."""
    result = CliRunner().invoke(main, [*arguments, "--json", "--database-url", database_url])
    assert (result.exit_code, result.stderr) == (0, "")
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.mark.parametrize("name", LISTS)
def test_a_list_is_the_same_as_json_and_on_the_command_line(
    client: httpx.Client, shared_database_url: str, name: str
) -> None:
    """The same rows with the same fields, here the newest first."""
    answer = client.get(f"/api/{name}?limit=1000&characters=2000000").json()
    assert answer["rows"]
    assert answer["rows"][::-1] == printed(shared_database_url, name, "-n", "1000")
    assert (answer["next"], answer["looked_back_to"]) == (None, None)


def test_sums_are_the_same_as_json_and_on_the_command_line(
    client: httpx.Client, shared_database_url: str
) -> None:
    """And a trace is."""
    assert client.get("/api/stats?since=1d").json()["rows"] == printed(
        shared_database_url, "stats", "--since", "1d"
    )
    trace = client.get(f"/api/trace/{TRACE_ID.hex}").json()
    assert [trace] == printed(shared_database_url, "trace", TRACE_ID.hex)


def test_a_list_is_read_to_its_end_by_its_next_addresses(client: httpx.Client) -> None:
    """No row is left out, whatever the size of a page."""
    whole = client.get("/api/messages?limit=1000").json()["rows"]
    address, rows = "/api/messages?limit=3", []
    while address:
        answer = client.get(address).json()
        rows += [row for row in answer["rows"] if row not in rows]
        address = answer["next"]
    assert rows == whole


@pytest.mark.parametrize("name", ["traces", "calls", "messages", "logs"])
def test_a_list_is_read_from_its_other_end(client: httpx.Client, name: str) -> None:
    """The oldest first, and on to the newest; all of it is there."""
    address, rows = f"/api/{name}?order=ascending&limit=3", []
    while address:
        answer = client.get(address).json()
        rows += [row for row in answer["rows"] if row not in rows]
        address = answer["next"]
    time = "start_time" if name == "traces" else "time"
    assert [row[time] for row in rows] == sorted(row[time] for row in rows)
    whole = client.get(f"/api/{name}?limit=1000").json()["rows"]
    assert sorted(map(str, rows)) == sorted(map(str, whole))


@pytest.mark.parametrize(
    ("name", "column"), [("calls", "duration"), ("messages", "size"), ("traces", "messages")]
)
def test_the_least_come_first_where_they_are_asked_for(
    client: httpx.Client, name: str, column: str
) -> None:
    """The other end of the same list is shown; rows without a value come last in both."""
    both = [
        [row[column] for row in answer["rows"] if row[column] is not None]
        for order in ("ascending", "descending")
        for answer in [client.get(f"/api/{name}?sort={column}&order={order}").json()]
    ]
    assert both[0] == both[1][::-1]
    assert both[0] != both[1]


def test_differences_and_problems_are_the_same_as_on_the_command_line(
    client: httpx.Client, shared_database_url: str
) -> None:
    """Of two messages, of two peers, and what is wrong."""
    asked = {"kind": "request", "method": "tools/call"}
    first, *_, last = (
        row["message_id"] for row in client.get("/api/messages", params=asked).json()["rows"]
    )
    answer = client.get("/api/diff", params={"left": first, "right": last}).json()
    assert answer["rows"]
    assert answer["rows"] == printed(shared_database_url, "diff", first, last)
    answer = client.get("/api/peers?left=time-server&right=iccm-relay").json()
    assert answer["rows"]
    assert answer["rows"] == printed(shared_database_url, "peers", "time-server", "iccm-relay")
    answer = client.get("/api/problems").json()
    assert answer["rows"]
    assert answer["rows"] == printed(shared_database_url, "problems")


def test_what_is_plotted_is_told_in_numbers(client: httpx.Client) -> None:
    """Records by their time, what is missing of them, and what retention does with them."""
    answer = client.get("/api/pipeline?since=1d").json()
    views = {row["view"] for row in answer["rows"]}
    assert {"stored", "partitions"} <= views
    assert answer["database_bytes"] > 0
    stored = [row for row in answer["rows"] if row["view"] == "stored"]
    records = client.get("/api/tail?since=1d&all=true&limit=1000").json()["rows"]
    assert sum(row["records"] for row in stored if row["what"] == "log records") == len(records)


def test_the_description_says_what_each_answer_has(client: httpx.Client) -> None:
    """Every field of every row is described in OpenAPI, and every filter there is taken."""
    document = client.get("/api/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    for name in LISTS:
        asked = document["paths"][f"/api/{name}"]["get"]
        answer = asked["responses"]["200"]["content"]["application/json"]["schema"]
        row = answer["properties"]["rows"]["items"]
        found = client.get(f"/api/{name}?limit=1000").json()
        assert set(answer["required"]) == set(found)
        for one in found["rows"]:
            assert list(one) == list(row["properties"]) == row["required"]
            for field, value in one.items():
                assert _fits(value, row["properties"][field]["type"]), (name, field, value)
        for parameter in asked["parameters"]:
            value = _example(parameter["name"], parameter["schema"])
            reply = client.get(f"/api/{name}", params={parameter["name"]: value})
            assert reply.status_code == 200, reply.text


def test_the_description_says_what_sums_and_differences_have(client: httpx.Client) -> None:
    """Every field that is described is there."""
    document = client.get("/api/openapi.json").json()
    message = client.get("/api/messages").json()["rows"][0]["message_id"]
    first = client.get("/api/messages?order=ascending").json()["rows"][0]["message_id"]
    for path, sides in (
        ("stats", {}),
        ("problems", {}),
        ("cost", {"since": "1d"}),
        ("pipeline", {}),
        ("diff", {"left": message, "right": first}),
        ("peers", {"left": "time-server", "right": "iccm-relay"}),
    ):
        asked = document["paths"][f"/api/{path}"]["get"]
        needed = [one["name"] for one in asked["parameters"] if one.get("required")]
        assert needed == [name for name in sides if name != "since"]
        answer = asked["responses"]["200"]["content"]["application/json"]["schema"]
        rows = client.get(f"/api/{path}", params=sides).json()["rows"]
        assert rows
        for row in rows:
            assert set(answer["properties"]["rows"]["items"]["required"]) <= set(row), path


def _fits(value: object, types: list[str]) -> bool:
    kinds: dict[str, type | tuple[type, ...]] = {
        "string": str,
        "integer": int,
        "number": (int, float),
        "array": list,
        "object": dict,
        "null": type(None),
    }
    return any(isinstance(value, kinds[one]) for one in types)


def _example(name: str, schema: dict[str, Any]) -> str:
    given = {
        "trace": TRACE_ID.hex,
        "slower_than": "1ms",
        "since": "1h",
        "until": "1m",
        "attribute": "a=b",
        "limit": "7",
        "characters": "9",
        "odd": "true",
        "failed": "true",
        "all": "true",
    }
    items = schema.get("items", schema)
    return given.get(name) or str(items.get("enum", ["x"])[0])


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/api/calls?outcome=bad", "outcome=bad: "),
        ("/api/calls?nothing=1", "nothing: calls have"),
        ("/api/calls?trace=ffffffffffff", "trace: no trace begins with that"),
        ("/api/messages?characters=0", "characters=0: "),
        ("/api/stats?since=never", "a time that is none"),
        ("/api/trace/12", "no trace id"),
        ("/api/diff?left=x&right=y", "x is no id of a message"),
        ("/api/peers?left=x", "names them as left and right"),
        ("/api/tail?order=ascending", "order: records have"),
    ],
)
def test_a_wrong_address_is_answered_with_what_is_wrong(
    client: httpx.Client, address: str, said: str
) -> None:
    """As JSON, with the status that HTTP has for it."""
    reply = client.get(address)
    assert reply.status_code == 400
    assert said in reply.json()["error"]


def test_long_texts_are_cut_where_they_are_stored(client: httpx.Client) -> None:
    """At most so many characters of each are sent, as the answer says."""
    asked = {"trace": MARKUP_TRACE_ID.hex, "characters": "30"}
    answer = client.get("/api/messages", params=asked).json()
    assert answer["characters"] == 30
    assert {len(row["body"]) for row in answer["rows"]} == {30}
    (call,) = client.get("/api/calls", params=asked).json()["rows"]
    assert (len(call["request"]), len(call["answer"])) == (30, 30)


def test_what_strangers_say_stays_a_value_of_json(client: httpx.Client) -> None:
    """And a browser takes the answer for nothing else."""
    reply = client.get("/api/messages", params={"peer": MARKUP})
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert {row["attributes"][MARKUP] for row in reply.json()["rows"]} == {MARKUP}
