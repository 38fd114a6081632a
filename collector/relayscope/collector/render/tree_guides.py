"""Lines at the left of a tree that show what belongs to what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from relayscope.collector.query.trace_tree import Entry

_DEEPEST: Final = 10
"""A level takes three columns. Beyond this depth lines say how deep they are and move no further to
the right, so that the hundredth level of a chain can be read too."""


class TreeGuides:
    """The guides of the entries of one tree, asked for in the order of `Trace.entries`."""

    def __init__(self) -> None:
        self._continues: list[bool] = []

    def branch(self, entry: Entry, joint: str) -> str:
        """The guides of an entry's own line, which end in what it hangs on."""
        del self._continues[entry.depth :]
        self._continues.append(not entry.is_last)
        if entry.depth == 0:
            return joint.removeprefix("─ ")
        corner = "└" if entry.is_last else "├"
        return f"{self._stems(entry.depth)}{corner}{joint}"

    def below(self, entry: Entry) -> str:
        """The guides of further lines of that entry."""
        return f"{self._stems(entry.depth + 1)}  "

    def _stems(self, depth: int) -> str:
        if depth > _DEEPEST:
            return f"{'':{3 * (_DEEPEST - 2)}}({depth}) "
        return "".join("│  " if continues else "   " for continues in self._continues[1:depth])
