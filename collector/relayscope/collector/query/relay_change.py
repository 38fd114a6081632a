"""Changes that a relay made in a call of a tool on its way, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from relayscope.collector.query.answer_below import LONGEST
from relayscope.collector.text.message_summary import gist

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_NAMES: Final = 5
_LONGEST_NAME: Final = 60

_RESULTS: Final = {
    "answer": "passes on another result than {peer} answered for {tool}",
    "cut": "cuts the text of the result that {peer} answered for {tool}",
    "error": "passes on the error that {peer} answered for {tool} without its `isError`",
    "unstructured": "leaves out the structuredContent that {peer} answered for {tool}",
    "structured": "passes on another structuredContent than {peer} answered for {tool}",
}


def change_text(peer: str, row: Mapping[str, Any]) -> str:
    """Say what was changed, in words that go on from the relay's name.

    Args:
        peer: The one who was asked by the relay, where it is always the same.
        row: A row of `changed_calls`.
    """
    tool = f"tool {row['tool']}" if row["tools"] == 1 else f"{row['tools']:,} tools"
    peer = peer if row["peers"] == 1 else f"{row['peers']:,} peers"
    match row["what"]:
        case "arguments":
            return f"leaves out arguments of {tool} on the way to {peer}: {_listed(row['names'])}"
        case "values":
            return f"changes arguments of {tool} on the way to {peer}: {_listed(row['names'])}"
        case "backend":
            meant, asked, name = (name[:_LONGEST_NAME] for name in row["names"])
            return f"asks {asked} when it is asked for tool {name}, which is named after {meant}"
        case what:
            return _RESULTS[what].format(peer=peer, tool=tool)


def passed_on_text(row: Mapping[str, Any]) -> str:
    """Say what the relay made of it."""
    return f"passed on: {gist(row['passed_on'])[:LONGEST]}"


def _listed(names: Sequence[str]) -> str:
    said = [name[:_LONGEST_NAME] for name in names[:_MOST_NAMES]]
    more = len(names) - len(said)
    return f"{', '.join(said)}{f' and {more:,} more' if more else ''}"
