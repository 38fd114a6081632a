"""A result that is unlike its tool's `outputSchema`, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_NAMES: Final = 5
_LONGEST: Final = 80


def unlike_text(peer: str, asked: str, row: Mapping[str, Any]) -> str:
    """Say what is wrong with it, in words that go on from the component's name.

    Args:
        peer: The one who answered, where the component is the one who asked.
        asked: What was asked for.
        row: A row of `results_unlike_schema`.
    """
    if row["is_absent"]:
        said = ["without structuredContent"]
    else:
        said = [
            f"{word} {_listed(row[column])}"
            for word, column in (("without", "lacking"), ("with", "others"))
            if row[column]
        ]
    how = f"a result that is unlike its outputSchema: {', '.join(said)}"
    if row["side"] == "server":
        return f"answered {asked} with {how}"
    return f"was given {how}, by {peer} for {asked}"


def _listed(names: Sequence[str]) -> str:
    said = [name[:_LONGEST] for name in names[:_MOST_NAMES]]
    more = len(names) - len(said)
    return f"{', '.join(said)}{f' and {more:,} more' if more else ''}"
