"""The summary of a JSON-RPC message: its contents without its envelope, for one line."""

from __future__ import annotations

import json
import re
from typing import Final, NamedTuple

_DECODER: Final = json.JSONDecoder(strict=False)
_KEY: Final = r'[ \t\r\n]*(?P<key>"(?:[^"\\]++|\\.)*+")[ \t\r\n]*:[ \t\r\n]*'
_FIRST: Final = re.compile(r"[ \t\r\n]*\{" + _KEY, re.DOTALL)
_NEXT: Final = re.compile(r"[ \t\r\n]*," + _KEY, re.DOTALL)
"""Members of an object, each up to its value."""


def gist(text: str) -> str:
    """Return its `error`, `result` or `params`, without their `_meta`.

    What is shown is the message's own text. Only where a piece of text is all the content of a
    tool's result, it is shown alone and unescaped, after the word `text`; and the message of an
    error alone where it has nothing else beside its code. What is not a JSON-RPC
    object is given back as it is; JSON that breaks off is read as far as it goes.
    """
    members = members_of(text)
    if "error" in members:
        return _only_message(members["error"].value) or members["error"].value
    if "result" in members:
        result = members["result"].value
        return _only_text(result) or _without_meta(result)
    if "params" in members:
        return _without_meta(members["params"].value)
    return "" if "method" in members else text


class Member(NamedTuple):
    """The place of a member in an object's text, and the text of its value."""

    start: int
    stop: int
    value: str


def members_of(text: str) -> dict[str, Member]:
    """The members of a JSON object in their order; none if the text is no object."""
    members: dict[str, Member] = {}
    found = _FIRST.match(text)
    while found is not None:
        key, start, value_at = found["key"], found.start("key"), found.end()
        try:
            key = _DECODER.decode(key) if "\\" in key else key[1:-1]
        except ValueError:
            break
        try:
            _, stop = _DECODER.raw_decode(text, value_at)
        except (ValueError, RecursionError):  # it breaks off, or is deeper than Python reads
            stop = len(text)
        members[key] = Member(start, stop, text[value_at:stop])
        found = _NEXT.match(text, stop)
    return members


def _only_text(result: str) -> str | None:
    """The text in a tool's result if that is all its content, with a mark if it is an error."""
    members = members_of(result)
    try:
        (item,) = json.loads(members["content"].value, strict=False)
        text = item["text"]
    except (KeyError, TypeError, ValueError, RecursionError):  # another shape, or it breaks off
        return None
    failed = "isError" in members and members["isError"].value == "true"
    return f"{'isError ' if failed else ''}text {text}"


def _only_message(error: str) -> str | None:
    """The message of an error that has nothing else but its code."""
    members = members_of(error)
    if members.keys() != {"code", "message"}:
        return None
    try:
        message = json.loads(members["message"].value, strict=False)
    except (ValueError, RecursionError):  # it breaks off
        return None
    return message if isinstance(message, str) else None


def _without_meta(text: str) -> str:
    """The text of an object without its member `_meta`; nothing if that is all."""
    members = list(members_of(text).items())
    for position, (key, member) in enumerate(members):
        if key == "_meta":
            start, stop = member.start, member.stop
            if position + 1 < len(members):
                stop = members[position + 1][1].start
            elif position > 0:
                start = members[position - 1][1].stop
            return text[:start] + text[stop:] if len(members) > 1 else ""
    return text
