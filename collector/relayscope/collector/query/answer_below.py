"""The answer that a failed call had been given from below, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from relayscope.collector.text.message_summary import gist

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST: Final = 400
"""Characters of what a peer has said, in our words about it."""


def answer_text(row: Mapping[str, Any]) -> str:
    """Say what was answered last for a call that failed; empty if nothing was.

    Args:
        row: A row of `failed_calls.load`.
    """
    if not row.get("answer"):
        return ""
    by = row["answered_by"] or "its peer"
    return f"before, {by} answered {row['answered']}: {gist(row['answer'])[:LONGEST]}"
