"""The cost of servers in a model's context: definitions of their tools, and their results."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from relayscope.collector.query import tokens
from relayscope.collector.query.tool_list import tool_list
from relayscope.conventions.attributes import LONGEST_TARGET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Text:
    """The cost of a text.

    Attributes:
        characters: Of it, as JSON without spaces where it can be read.
        bytes: The same in UTF-8.
        tokens: Its tokens, as `relayscope.collector.query.tokens` has them.
    """

    characters: int
    bytes: int
    tokens: int


@dataclass(frozen=True, slots=True)
class Tool(Text):
    """A definition of a tool.

    Attributes:
        name: The tool's name.
        calls: Number of its calls in the time that is looked at.
    """

    name: str
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
        rest: What was recorded and can be read as no tool, as the end of a text that was cut.
        recorded: Bytes of the text that was recorded; None where none was.
        size: Bytes on the wire.
        is_cut: True if not all of the text was recorded.
    """

    component: str
    peer: str
    time: datetime
    trace_id: UUID | None
    message_id: str | None
    tools: tuple[Tool, ...]
    rest: Text
    recorded: int | None
    size: int
    is_cut: bool

    @property
    def is_whole(self) -> bool:
        """True if all of it was recorded, so that its tokens are not more."""
        return self.recorded is not None and not self.is_cut

    @property
    def characters(self) -> int:
        """Characters of all definitions."""
        return self.rest.characters + sum(tool.characters for tool in self.tools)

    @property
    def bytes(self) -> int:
        """Bytes of all definitions."""
        return self.rest.bytes + sum(tool.bytes for tool in self.tools)

    @property
    def tokens(self) -> int:
        """Tokens of all definitions, as far as they were recorded; estimated where none was."""
        if self.recorded is None:
            return tokens.estimated(self.size)
        return self.rest.tokens + sum(tool.tokens for tool in self.tools)

    @property
    def weight(self) -> int:
        """Characters by which it is ranked: what was not recorded is there all the same."""
        return self.characters if self.is_whole else max(self.characters, self.size)

    @property
    def never_called(self) -> tuple[Tool, ...]:
        """Tools that nobody has called."""
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


def listings(
    listed: Iterable[Mapping[str, Any]], called: Iterable[Mapping[str, Any]]
) -> list[Listing]:
    """Put the rows of `listed_tools` and `calls_of_tools` together, the most costly first."""
    calls = {(row["component"], row["peer"], row["tool"]): row["calls"] for row in called}
    found = [_listing(row, calls) for row in listed]
    return sorted(found, key=lambda one: -one.weight)


def _listing(row: Mapping[str, Any], calls: Mapping[tuple[Any, Any, Any], int]) -> Listing:
    text = row["text"]
    read = tool_list(text or "")
    tools = [
        Tool(
            **asdict(_text(one.text)),
            name=one.name or "unnamed",
            calls=calls.get(
                (row["component"], row["peer"], one.name and one.name[:LONGEST_TARGET]), 0
            ),
        )
        for one in read.definitions
    ]
    return Listing(
        component=row["component"] or "unknown_service",
        peer=row["peer"] or "",
        time=row["time"],
        trace_id=row["trace_id"],
        message_id=row["message_id"],
        tools=tuple(sorted(tools, key=lambda tool: (-tool.characters, tool.name))),
        rest=_text(read.rest),
        recorded=None if text is None else _size(text),
        size=row["size"] or 0,
        is_cut=bool(row["truncated"]),
    )


def _text(text: str) -> Text:
    return Text(len(text), _size(text), tokens.count(text))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))
