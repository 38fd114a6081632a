"""Lists that nobody has read to their end."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from relayscope.conventions.attributes import (
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    PEER,
)
from relayscope.storage import Batch, Writer, rows
from tests.collector.reading.problems import problems
from tests.storage.samples import batch, log, span

if TYPE_CHECKING:
    from sqlalchemy import Engine

SECOND = 10**9
CLIENT, SERVER = 3, 2


@dataclass(frozen=True)
class Listing:
    """One page of a list of tools, as one end recorded it."""

    cursor: str | None
    following: str | None
    seconds_ago: float = 60
    kind: int = CLIENT
    span_id: bytes = b"........"
    parent: bytes | None = None
    service: str = "relay"
    tools: tuple[str, ...] = ()

    def records(self) -> Batch:
        """The span of the call, its request and its answer."""
        at = time.time_ns() - round(self.seconds_ago * SECOND)
        said = {MCP_METHOD_NAME: "tools/list", JSONRPC_REQUEST_ID: "1", PEER: "127.0.0.1:9"}
        params = {"cursor": self.cursor} if self.cursor else {}
        tools = [{"name": tool} for tool in self.tools]
        result = {
            "tools": tools,
            **({} if self.following is None else {"nextCursor": self.following}),
        }
        messages: dict[str, dict[str, Any]] = {
            "request": {"method": "tools/list", "params": params},
            "result": {"result": result},
        }
        call = span(
            start=at, end=at, kind=self.kind, span_id=self.span_id, parent_span_id=self.parent,
            attributes=rows.jsonb(said),
        )  # fmt: skip
        logs = [
            log(
                json.dumps({"jsonrpc": "2.0", "id": 1, **text}), at=at, span_id=self.span_id,
                attributes=rows.jsonb(said | {MESSAGE_KIND: kind, MESSAGE_DIRECTION: "sent"}),
            )
            for kind, text in messages.items()
        ]  # fmt: skip
        return batch(service=self.service, spans=[call], logs=logs)


def told(engine: Engine, database_url: str, *pages: Listing) -> str:
    """Write records, and return all that `relayscope problems` says."""
    writer = Writer(engine)
    writer.write([page.records() for page in pages])
    writer.close()
    return problems(database_url)


def test_a_page_that_nobody_asks_for_is_told(database_url: str, engine: Engine) -> None:
    """By who made the call, and by the name of who has more to say."""
    said = told(engine, database_url, Listing(None, "page 2"))
    assert "not read on" in said
    assert "did not ask 127.0.0.1:9 for the next page of tools/list" in said


def test_who_is_not_asked_tells_it_where_nobody_else_can(database_url: str, engine: Engine) -> None:
    """A server has records of what a client without relayscope leaves unread."""
    said = told(engine, database_url, Listing(None, "page 2", kind=SERVER))
    assert "was not asked for the next page of tools/list" in said


def test_a_page_is_told_once_where_both_ends_recorded_it(database_url: str, engine: Engine) -> None:
    """The one who did not ask is to blame, so the other is not in the list."""
    served = Listing(
        None, "page 2", kind=SERVER, span_id=b"served..", parent=b"........", service="alpha"
    )
    said = told(engine, database_url, Listing(None, "page 2"), served)
    assert "did not ask alpha for the next page of tools/list" in said
    assert "was not asked" not in said


@pytest.mark.parametrize(
    "pages",
    [
        [Listing(None, None)],
        [Listing(None, "")],
        [Listing(None, "page 2"), Listing("page 2", None, seconds_ago=50, span_id=b"second..")],
    ],
    ids=["one page", "an empty cursor", "read on"],
)
def test_a_list_that_is_read_to_its_end_is_no_problem(
    database_url: str, engine: Engine, pages: list[Listing]
) -> None:
    """An empty cursor is the end of it, too."""
    assert "next page" not in told(engine, database_url, *pages)


def test_who_was_just_answered_may_still_ask(database_url: str, engine: Engine) -> None:
    """A list that is being read is no problem."""
    assert "next page" not in told(engine, database_url, Listing(None, "page 2", seconds_ago=0))


@pytest.mark.parametrize(
    ("kind", "who"), [(CLIENT, "relay has a peer, 127.0.0.1:9, that "), (SERVER, "relay ")]
)
def test_a_cursor_that_comes_back_is_told_as_a_list_without_an_end(
    database_url: str, engine: Engine, kind: int, who: str
) -> None:
    """Also while it is being read, for who asks on will never stop."""
    pages = [
        Listing("same", "same", kind=kind, seconds_ago=number, span_id=b"%08d" % number)
        for number in range(3)
    ]
    said = told(engine, database_url, *pages)
    assert f"{who}answers tools/list with the cursor it was asked with" in said
    assert "next page" not in said


@pytest.mark.parametrize(
    ("kind", "who"), [(CLIENT, "relay has a peer, 127.0.0.1:9, that "), (SERVER, "relay ")]
)
def test_a_page_that_comes_again_with_a_new_cursor_is_told_as_a_list_without_an_end(
    database_url: str, engine: Engine, kind: int, who: str
) -> None:
    """The one who gave up asking for more is not to blame."""
    pages = [
        Listing(
            f"page {number}" if number else None, f"page {number + 1}", kind=kind,
            seconds_ago=30 - number, span_id=b"%08d" % number, tools=("search",),
        )
        for number in range(3)
    ]  # fmt: skip
    said = told(engine, database_url, *pages)
    assert f"{who}answers tools/list with the same page again and a new cursor" in said
    assert "next page" not in said


@pytest.mark.parametrize("names", [("one", "two", "three"), ()], ids=["others", "empty"])
def test_pages_that_differ_or_are_empty_are_a_list_that_is_being_read(
    database_url: str, engine: Engine, names: tuple[str, ...]
) -> None:
    """Whatever is not for this client has been left out of them."""
    pages = [
        Listing(
            f"page {number}" if number else None, f"page {number + 1}",
            seconds_ago=3 - number, span_id=b"%08d" % number, tools=names[number : number + 1],
        )
        for number in range(3)
    ]  # fmt: skip
    assert "no end" not in told(engine, database_url, *pages)


def changed(*, seconds_ago: float) -> Batch:
    """The span of a backend's notification, as the relay got it, and of the backend's own."""
    at = time.time_ns() - round(seconds_ago * SECOND)
    said = rows.jsonb({MCP_METHOD_NAME: "notifications/tools/list_changed", PEER: "127.0.0.1:9"})
    heard = span(
        start=at, end=at, kind=SERVER, span_id=b"heard...", parent_span_id=b"told....",
        attributes=said,
    )  # fmt: skip
    return batch(service="relay", spans=[heard])


@pytest.mark.parametrize(
    ("change_ago", "list_ago", "is_told"),
    [(60, 90, True), (60, 50, False), (1, 90, False)],
    ids=["ignored", "heeded", "just now"],
)
def test_a_change_of_tools_after_which_nobody_asks_for_them_is_told(
    database_url: str, engine: Engine, change_ago: float, list_ago: float, *, is_told: bool
) -> None:
    """The relay goes on with tools that the backend may not have any more."""
    writer = Writer(engine)
    listing = Listing(None, None, seconds_ago=list_ago)
    writer.write([changed(seconds_ago=change_ago), listing.records()])
    writer.close()
    said = "did not ask 127.0.0.1:9 for tools/list since 127.0.0.1:9 said that it has changed"
    assert (said in problems(database_url)) is is_told
