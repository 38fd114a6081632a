"""A message that is too large to be parsed, read at its two ends.

A parsed text may take thirty times its size. The method and id are at the beginning of nearly every
message, before `params` or `result`; only the id of an answer may be at the end.
"""

import re
from contextlib import suppress
from typing import Any, Final

import orjson

from .json_members import members
from .long_text import LongText, Text

_HEAD: Final = 64 * 1024
_TAIL: Final = 1024
"""Bytes, or characters, that are looked at."""

_DEEPEST: Final = 3
"""Objects within each other that are read in part: a request's, its `params`, their `_meta`."""

_LAST: Final = re.compile(r',((?:\s*"[^"\\]*"\s*:\s*(?:"[^"\\]*"|[\w.+-]+)\s*,?)+\})\s*\Z')
"""The members at an object's end that hold plain values. Nothing can be taken for them: a quote
within a string has a backslash before it."""

_FAILED: Final = re.compile(r'"isError"\s*:\s*true\s*\}\s*(?:,[^{}]*)?\}\s*\Z')


def partially_parsed(text: Text) -> dict[str, Any]:
    """Return the members of a message that can be read without all of it.

    Objects that are not whole have the members at their beginning. Never raises.
    """
    head, tail = _ends(text)
    start = len(head) - len(head.lstrip())
    if head[start : start + 1] != "{":
        return {}
    found = _members(head, start, _DEEPEST)
    last = _LAST.search(tail)
    if last is not None:
        found = _parsed("{" + last[1]) | found
    if "result" in found and _FAILED.search(tail):
        found["result"] = {"isError": True}
    return found


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
    found: dict[str, Any] = {}
    with suppress(ValueError):
        for key, value, value_start, end in members(text, start):
            is_object = end is None and depth > 1 and text[value_start : value_start + 1] == "{"
            found[key] = _members(text, value_start, depth - 1) if is_object else value
    return found


def _parsed(text: str) -> dict[str, Any]:
    try:
        parsed: dict[str, Any] = orjson.loads(text)
    except ValueError:
        return {}
    return parsed
