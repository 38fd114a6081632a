"""Searches a text for many expressions in one pass: hyperscan where it is installed.

hyperscan's automata keep no locks and no cache, so neither the text nor a fork can make a search
slow. Its scratch memory serves one search at a time, so each search takes one and puts it back; a
signal handler that searches in the midst of another search takes another.
"""

import platform
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from .compiled_search import CompiledSearch

hyperscan: Any
try:
    import hyperscan
except ImportError:  # No wheel for this platform: `Prefilter` and `Mentions` search with RE2.
    hyperscan = None

OnMatch = Callable[[int, int, int, int, object], bool | None]
"""Takes the expression's index, and the start and the end of the match in bytes; two more arguments
are hyperscan's own. It returns true to end the search."""


class Expression(NamedTuple):
    """One expression of a search.

    Attributes:
        pattern: the expression, in the syntax that RE2 and hyperscan share.
        ignores_case: True if ASCII letters match in either case.
    """

    pattern: str
    ignores_case: bool = False


class MultiSearch:
    """Many expressions, compiled together. Safe to share between threads and forks.

    Raises:
        ValueError: hyperscan is not installed, or cannot compile one of the expressions.
    """

    def __init__(self, expressions: Sequence[Expression], flags: int) -> None:
        if hyperscan is None:
            raise ValueError("hyperscan is not installed")
        self._database = _compiled(expressions, flags)
        self._first_scratch: Any = hyperscan.Scratch(self._database)
        self._scratches: deque[Any] = deque([self._first_scratch.clone()])

    @classmethod
    def which(cls, expressions: Sequence[Expression]) -> "MultiSearch":
        """A search that reports each expression at most once, and may report too many."""
        if hyperscan is None:
            raise ValueError("hyperscan is not installed")
        return cls(
            expressions,
            hyperscan.HS_FLAG_SINGLEMATCH | hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_DOTALL,
        )

    @classmethod
    def where(cls, expressions: Sequence[Expression]) -> "MultiSearch":
        """A search that reports every match with its start."""
        if hyperscan is None:
            raise ValueError("hyperscan is not installed")
        return cls(expressions, hyperscan.HS_FLAG_SOM_LEFTMOST)

    def search(self, data: bytes, on_match: OnMatch) -> None:
        """Report the matches in UTF-8 text, in the order of their ends."""
        try:
            scratch = self._scratches.pop()
        except IndexError:
            scratch = self._first_scratch.clone()
        try:
            self._database.scan(data, match_event_handler=on_match, scratch=scratch)
        except hyperscan.ScanTerminated:
            return
        finally:
            self._scratches.append(scratch)


def _compiled(expressions: Sequence[Expression], flags: int) -> Any:
    kept = CompiledSearch(
        hyperscan.__version__,
        platform.machine(),
        platform.node(),
        *(f"{each.pattern}\0{each.ignores_case}" for each in expressions),
        str(flags),
    )
    compiled = kept.load()
    if compiled is not None:
        with suppress(hyperscan.error):
            return hyperscan.loadb(compiled, hyperscan.HS_MODE_BLOCK)
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    try:
        database.compile(
            expressions=[each.pattern.encode() for each in expressions],
            ids=list(range(len(expressions))),
            flags=[
                flags | (hyperscan.HS_FLAG_CASELESS if each.ignores_case else 0)
                for each in expressions
            ],
        )
    except hyperscan.error as error:
        raise ValueError(str(error)) from None
    kept.store(hyperscan.dumpb(database))
    return database
