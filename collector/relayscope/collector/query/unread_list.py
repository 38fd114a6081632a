"""A list that somebody did not read to its end, or not again, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


def unread_text(peer: str, row: Mapping[str, Any]) -> str:
    """Say why it is unread, in words that go on from the component's name.

    Args:
        peer: The one who has the list, where the component is the one who asks.
        row: A row of `unread_lists`.
    """
    method, is_asking = row["method"], row["side"] == "client"
    match row["what"]:
        case "change":
            return f"did not ask {peer} for {method} since {peer} said that it has changed"
        case "cursor" | "same":
            sender = f"has a peer, {peer}, that " if is_asking else ""
            said = (
                "the cursor it was asked with"
                if row["what"] == "cursor"
                else "the same page again and a new cursor"
            )
            return f"{sender}answers {method} with {said}, so that the list has no end"
        case _ if is_asking:
            return f"did not ask {peer} for the next page of {method}"
        case _:
            return f"was not asked for the next page of {method}"
