"""An answer that a failed call was given from below, or a connection that it did not get."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from relayscope.collector.text.message_summary import gist

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST: Final = 400
"""Characters of what a peer has said, in our words about it."""


def answer_text(row: Mapping[str, Any]) -> str:
    """Say what was answered last for a call that failed, or why nobody could be asked.

    It is empty if neither is known.

    Args:
        row: A row of `failed_calls.load`.
    """
    if error := row.get("unconnected_for"):
        could_not = "could not start" if row["is_child"] else "could not connect to"
        when = "before" if row["is_below"] else "meanwhile"
        return f"{when}, it {could_not} {row['unconnected_to'] or 'its peer'}: {error}"
    if not row.get("answer"):
        return ""
    by = row["answered_by"] or "its peer"
    return f"before, {by} answered {row['answered']}: {gist(row['answer'])[:LONGEST]}"
