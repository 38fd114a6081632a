"""A tool that is not known to who was asked for it, and was listed or not.

A relay's prefix is still in its name, say; or a relay lists it, and does not know whom to ask.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from relayscope.conventions.attributes import LONGEST_TARGET

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_NO_METHOD: Final = -32601
_CODES: Final = (_NO_METHOD, -32602)
"""Of a method that is not there, and of parameters that are wrong."""

_WORDS: Final = re.compile(
    r"(?:unknown|no such) tool|tool\b.{0,200}\bnot (?:found|known)", re.IGNORECASE | re.DOTALL
)

_UNKNOWN: Final = r"(?:unknown|no such) tool|tool\W+{tool}\W+(?:is |was )?not (?:found|known)"
"""Said of the tool itself, and not of what it looks for."""

PAGES: Final = 100
"""Calls for a list that are looked at, of each who asked and each who was asked."""

_NEAREST: Final = 5
_MOST: Final = 200
"""Names that are compared. Of 48 characters each they take 0.05 s at worst."""

_LONGEST: Final = 48
"""Characters of a name that are compared and shown."""


def is_unknown_tool(row: Mapping[str, Any]) -> bool:
    """Return whether a call failed because its tool is not known, by its row of `failed_calls`."""
    says_so = row["error_code"] in _CODES or _WORDS.search(row["evidence"] or "")
    return bool(row["tool"] and says_so)


def unlisted_text(who: str, row: Mapping[str, Any]) -> str:
    """Say that a tool was not listed, and which are; empty if it was, or if it is not known.

    Args:
        who: The one who was asked for it.
        row: A row of `failed_calls.load`.
    """
    names = _names(row.get("lists") or ()) if is_unknown_tool(row) else []
    if not names or row["tool"] in _known_as(names):
        return ""
    tool = row["tool"][:_LONGEST]
    short = sorted({name[:_LONGEST] for name in names})
    # A prefix too many is the most likely.
    short.sort(key=lambda name: (name not in tool, abs(len(name) - len(tool))))
    nearest = get_close_matches(tool, short[:_MOST], _NEAREST, cutoff=0.0)
    return f"{who} did not list a tool of this name (it lists: {', '.join(nearest)})"


def listed_text(who: str, row: Mapping[str, Any]) -> str:
    """Say that who does not know a tool has listed it; empty if that is not known.

    Arguments that are wrong have the same code, so that words count.

    Args:
        who: The one who was asked for it.
        row: A row of `failed_calls.load`.
    """
    if not row["tool"] or row["tool"] not in _known_as(_names(row.get("lists") or ())):
        return ""
    words = _UNKNOWN.format(tool=re.escape(row["tool"]))
    says_so = re.search(words, row["evidence"] or "", re.IGNORECASE)
    if row["error_code"] != _NO_METHOD and not says_so:
        return ""
    return f"{who} itself lists a tool of this name"


def _known_as(names: Iterable[str]) -> set[str]:
    """The names as calls have them."""
    return {name[:LONGEST_TARGET] for name in names}


def _names(lists: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names in the newest list, or in all pages of it; none if one of these is not known."""
    newest = lists if any(one["has_more"] for one in lists) else lists[:1]
    if len(newest) >= PAGES or any(one["names"] is None for one in newest):
        return []
    return [name for one in newest for name in one["names"] if isinstance(name, str)]
