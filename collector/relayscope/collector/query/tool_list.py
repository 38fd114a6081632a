r"""The definitions in a list of tools, read from the text of the message.

PostgreSQL's `jsonb` cannot hold all that JSON can: one `\u0000` in a description, and the whole
message is null there. A text that was cut is no JSON at all. Both are read here as far as they go,
so that no server can hide what it costs.
"""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

from relayscope.collector.text.message_summary import members_of

_DECODER: Final = json.JSONDecoder(strict=False)
_BETWEEN: Final = re.compile(r"[ \t\r\n]*,?[ \t\r\n]*")


class Definition(NamedTuple):
    """A tool's name, if it has one, and its definition as JSON without spaces."""

    name: str | None
    text: str


class ToolList(NamedTuple):
    """The definitions that are whole, and the text behind them where that cannot be read."""

    definitions: tuple[Definition, ...]
    rest: str


def tool_list(text: str) -> ToolList:
    """Read the result of a `tools/list`; of what is none, all is the rest."""
    result = members_of(text).get("result")
    tools = members_of(result.value).get("tools") if result else None
    if tools is None or not tools.value.startswith("["):
        return ToolList((), text)
    listed, place = tools.value, 1
    found: list[Definition] = []
    while not listed.startswith("]", place := _behind_comma(listed, place)):
        try:
            tool, stop = _DECODER.raw_decode(listed, place)
        except (ValueError, RecursionError):  # it breaks off, or is deeper than Python reads
            return ToolList(tuple(found), listed[place:])
        found.append(_definition(tool, listed[place:stop]))
        place = stop
    return ToolList(tuple(found), "")


def _behind_comma(text: str, place: int) -> int:
    found = _BETWEEN.match(text, place)
    return found.end() if found else place


def _definition(tool: object, said: str) -> Definition:
    name = tool.get("name") if isinstance(tool, dict) else None
    try:
        text = json.dumps(tool, ensure_ascii=False, separators=(",", ":"))
    except (ValueError, RecursionError):  # deeper than Python writes
        text = said
    return Definition(name if isinstance(name, str) else None, text)
