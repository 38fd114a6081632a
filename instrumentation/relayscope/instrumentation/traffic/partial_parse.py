"""A message that is too large to be parsed, read at its two ends.

Parsed, a text may take thirty times its size. Who sent which request, or answered which, stands at
the beginning of nearly every message, before `params` or `result`; only the id of an answer may
stand at the end.
"""

import json
import re
from typing import Any, Final

import orjson

from .long_text import LongText, Text

_HEAD: Final = 64 * 1024
_TAIL: Final = 1024
"""Bytes, or characters, that are looked at."""

_DEEPEST: Final = 3
"""Objects within each other that are read in part: a request's, its `params`, their `_meta`."""

_DECODER: Final = json.JSONDecoder()
_KEY: Final = re.compile(r'\s*"([^"\\]*)"\s*:\s*')
_COMMA: Final = re.compile(r"\s*,")
_LAST: Final = re.compile(r',((?:\s*"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[\w.+-]+)\s*,?)+\})\s*\Z')
"""The members at an object's end that hold plain values. Nothing can be taken for them: a quote
within a string has a backslash before it."""

_FAILED: Final = re.compile(r'"isError"\s*:\s*true\s*\}\s*(?:,[^{}]*)?\}\s*\Z')


def partially_parsed(text: Text) -> dict[str, Any]:
    """Return the members of a message that can be read without all of it.

    Of objects that are not whole there is what stands at their beginning. Never raises.
    """
    head, tail = _ends(text)
    start = len(head) - len(head.lstrip())
    if head[start : start + 1] != "{":
        return {}
    members = _members(head, start, _DEEPEST)
    last = _LAST.search(tail)
    if last is not None:
        members = _parsed("{" + last[1]) | members
    if "result" in members and _FAILED.search(tail):
        members["result"] = {"isError": True}
    return members


def _ends(text: Text) -> tuple[str, str]:
    if isinstance(text, LongText):
        return _decoded(text.head[:_HEAD]), _decoded(text.tail)
    if isinstance(text, bytes):
        return _decoded(text[:_HEAD]), _decoded(text[-_TAIL:])
    return text[:_HEAD], text[-_TAIL:]


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _members(text: str, start: int, depth: int) -> dict[str, Any]:
    """Return the members of the object that opens at `start`, until one that is not whole."""
    members: dict[str, Any] = {}
    position = start + 1
    while (key := _KEY.match(text, position)) is not None:
        try:
            value, position = _DECODER.raw_decode(text, key.end())
        except (ValueError, RecursionError):
            position = len(text)
        if position == len(text):
            is_object = depth > 1 and text[key.end() : key.end() + 1] == "{"
            members[key[1]] = _members(text, key.end(), depth - 1) if is_object else None
            break
        members[key[1]] = value
        comma = _COMMA.match(text, position)
        if comma is None:
            break
        position = comma.end()
    return members


def _parsed(text: str) -> dict[str, Any]:
    try:
        members: dict[str, Any] = orjson.loads(text)
    except ValueError:
        return {}
    return members
