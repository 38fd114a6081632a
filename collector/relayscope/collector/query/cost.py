"""The cost of servers in a model's context: definitions of their tools, and their results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from relayscope.collector.query import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Tool:
    """A definition of a tool.

    Attributes:
        name: The tool's name.
        characters: Of its definition, as JSON without spaces.
        bytes: The same in UTF-8.
        tokens: Its tokens, as `relayscope.collector.query.tokens` has them.
        calls: Number of its results in the time that is looked at.
    """

    name: str
    characters: int
    bytes: int
    tokens: int
    calls: int


@dataclass(frozen=True, slots=True)
class Results:
    """The results that a component got of a tool.

    Attributes:
        component: The one that got them.
        peer: The one that sent them.
        tool: The tool's name.
        results: Number of results.
        bytes: Of all of them, on the wire.
        largest: Bytes of the largest.
        trace_id: The trace of the largest.
        message_id: The largest.
        images: Number of images that were found in them.
        image_bytes: Bytes of the images' base64.
        image_tokens: Tokens of the images; the most there may be of one whose pixels are unknown.
        measured_images: Number of images whose pixels are known.
    """

    component: str | None
    peer: str | None
    tool: str | None
    results: int
    bytes: int
    largest: int | None
    trace_id: UUID | None
    message_id: str | None
    images: int = 0
    image_bytes: int = 0
    image_tokens: int = 0
    measured_images: int = 0

    @property
    def tokens(self) -> int:
        """Tokens of their texts, without images; estimated."""
        return tokens.estimated(max(0, self.bytes - self.image_bytes))


@dataclass(frozen=True, slots=True)
class Listing:
    """The tools that a component was offered by a peer: a client gives all of them to its model.

    Attributes:
        component: The one that got the list.
        peer: The one that sent it.
        time: The last time that it did.
        trace_id: The trace of that.
        message_id: The message.
        tools: The largest first; empty where the text was not recorded.
    """

    component: str
    peer: str
    time: datetime
    trace_id: UUID | None
    message_id: str | None
    tools: tuple[Tool, ...]

    @property
    def characters(self) -> int:
        """Characters of all definitions."""
        return sum(tool.characters for tool in self.tools)

    @property
    def bytes(self) -> int:
        """Bytes of all definitions."""
        return sum(tool.bytes for tool in self.tools)

    @property
    def tokens(self) -> int:
        """Tokens of all definitions."""
        return sum(tool.tokens for tool in self.tools)

    @property
    def never_called(self) -> tuple[Tool, ...]:
        """Tools of which no result came."""
        return tuple(tool for tool in self.tools if not tool.calls)


def results(
    called: Iterable[Mapping[str, Any]], images: Iterable[Mapping[str, Any]]
) -> list[Results]:
    """Put the rows of `called_tools` and `images_of_tools` together."""
    found = {(row["component"], row["peer"], row["tool"]): row for row in images}
    nothing = dict.fromkeys(("images", "bytes", "tokens", "measured"), 0)
    made = []
    for row in called:
        seen = found.get((row["component"], row["peer"], row["tool"]), nothing)
        made.append(
            Results(
                **{**row, "bytes": row["bytes"] or 0},
                images=seen["images"],
                image_bytes=seen["bytes"],
                image_tokens=seen["tokens"],
                measured_images=seen["measured"],
            )
        )
    return made


def listings(listed: Iterable[Mapping[str, Any]], called: Sequence[Results]) -> list[Listing]:
    """Put the rows of `listed_tools` and `called_tools` together, the most costly first."""
    calls = {(one.component, one.peer, one.tool): one.results for one in called}
    found = [
        Listing(
            row["component"] or "unknown_service",
            row["peer"] or "",
            row["time"],
            row["trace_id"],
            row["message_id"],
            tuple(sorted(_tools(row, calls), key=lambda tool: (-tool.characters, tool.name))),
        )
        for row in listed
    ]
    return sorted(found, key=lambda one: -one.characters)


def _tools(row: Mapping[str, Any], calls: Mapping[tuple[Any, Any, Any], int]) -> Iterable[Tool]:
    for tool in row["tools"] if isinstance(row["tools"], list) else ():
        name = tool.get("name") if isinstance(tool, dict) else None
        encoded = orjson.dumps(tool)
        text = encoded.decode()
        yield Tool(
            name if isinstance(name, str) else "unnamed",
            len(text),
            len(encoded),
            tokens.count(text),
            calls.get((row["component"], row["peer"], name if isinstance(name, str) else None), 0),
        )
