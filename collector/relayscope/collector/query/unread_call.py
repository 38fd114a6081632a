"""A call that its peer has not read, as far as is recorded, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def unread_call_text(row: Mapping[str, Any]) -> str:
    """Say who has no record of a call without an answer; empty if that is not known.

    Args:
        row: A row of `failed_calls.load`.
    """
    if not (component := row.get("unread_by")):
        return ""
    return (
        f"{component}, which answered there shortly before, has no record of it: it has not read "
        "it, or not recorded it"
    )
