"""What a JSON-RPC message says beyond what is known of it already, for one line of a terminal."""

from __future__ import annotations

import json
import re
from typing import Final

_DECODER: Final = json.JSONDecoder(strict=False)
_SPACE: Final = re.compile(r"[ \t\r\n]*")


def gist(text: str) -> str:
    """Its `error`, `result` or `params`, without the trace context that travels in `_meta`.

    What is shown is the message's own text, with `{…}` in the place of `_meta`'s value. Only where
    a piece of text is all the content of a tool's result, it is shown alone and unescaped, after
    the word `text`. What is not a JSON-RPC object is given back as it is; JSON that breaks off is
    read as far as it goes.
    """
    members = _members(text)
    if "error" in members:
        return text[members["error"]]
    if "result" in members:
        result = text[members["result"]]
        return _only_text(result) or _without_meta(result)
    if "params" in members:
        return _without_meta(text[members["params"]])
    return "" if "method" in members else text


def _only_text(result: str) -> str | None:
    """The text in a tool's result if that is all its content, with a mark if it is an error."""
    members = _members(result)
    try:
        content = json.loads(result[members["content"]], strict=False)
        (item,) = content
        text = item["text"]
    except (KeyError, TypeError, ValueError, RecursionError):  # it has another shape, or breaks off
        return None
    failed = "isError" in members and result[members["isError"]] == "true"
    return f"{'isError ' if failed else ''}text {text}"


def _without_meta(text: str) -> str:
    meta = _members(text).get("_meta")
    return text if meta is None else f"{text[: meta.start]}{{…}}{text[meta.stop :]}"


def _members(text: str) -> dict[str, slice]:
    """Where the values of a JSON object's members stand; empty if the text is no object."""
    members: dict[str, slice] = {}
    position = _skip(text, 0)
    opening = "{"
    while text.startswith(opening, position):
        opening = ","
        key_at = _skip(text, position + 1)
        if not text.startswith('"', key_at):
            break
        try:
            key, position = _DECODER.raw_decode(text, key_at)
        except ValueError:
            break
        position = _skip(text, position)
        if not text.startswith(":", position):
            break
        start = _skip(text, position + 1)
        try:
            _, end = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):  # it breaks off, or is deeper than Python reads
            members[key] = slice(start, len(text))
            break
        members[key] = slice(start, end)
        position = _skip(text, end)
    return members


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
