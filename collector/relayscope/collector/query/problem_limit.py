"""Kinds of problems in words, and which of them may have more than was asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sized

_WORDS: Final = {"undelivered": "missing records", "dropped": "dropped records"}
"""Kinds of problems that are not called as their statements are."""


def called(name: str) -> str:
    """Return what the problems of a statement are called."""
    return _WORDS.get(name, name.replace("_", " "))


def at_limit(answers: Mapping[str, Sized | None], most: int) -> tuple[str, ...]:
    """Return the kinds of which there were as many as were asked for, and may be more."""
    return tuple(
        called(name) for name, found in answers.items() if found is not None and len(found) >= most
    )
