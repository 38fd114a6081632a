"""Numbers that are no JSON, which some programs write all the same."""

from __future__ import annotations

import json


def unreadable_text(body: str) -> str:
    """Say which word makes a text unreadable that is JSON but for it; empty if none does.

    Args:
        body: The text, or the beginning of it.
    """
    found: list[str] = []

    def keep(word: str) -> None:
        found.append(word)

    try:
        json.loads(body, parse_constant=keep)
    except (ValueError, RecursionError):  # it breaks off, or is no JSON for other reasons
        return ""
    return f"{found[0]} is no JSON" if found else ""
