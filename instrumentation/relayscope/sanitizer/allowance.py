"""Bounds the work on one record: a text may take as long as its length allows, and no longer."""

from collections.abc import Callable
from typing import Final, TypeVar

from relayscope.sanitizer.findings import TooManyFindings

_FIRST: Final = 4000
_CHARACTERS: Final = 8
"""Work that every record may take, and characters that allow for one more. The unit is about a
microsecond: 30 kB of text may take 8 ms."""

_PASSED: Final = 4
"""Work for each that is done in passing, at most, where nothing goes."""

_Found = TypeVar("_Found")


class Allowance:
    """The work that is left for a record's texts.

    What is in a text is counted, and not the time that it takes: the same text always comes to the
    same end. A cleaned text must come to it, too, although it has become shorter. So what a
    cleaned text is allowed must suffice for all that was looked at in it and is kept.
    """

    def __init__(self) -> None:
        self._left = self._for_kept = _FIRST

    @classmethod
    def of(cls, text: str) -> "Allowance":
        """The work for one text alone."""
        allowance = cls()
        allowance.grant(text)
        return allowance

    def grant(self, text: str) -> None:
        """Allow for a text's length."""
        self._left += len(text) // _CHARACTERS

    def settle(self, cleaned: str) -> None:
        """Charge what was looked at in a text to the length that it has now.

        Raises:
            TooManyFindings: it does not suffice.
        """
        self._for_kept += len(cleaned) // _CHARACTERS
        if self._for_kept < 0:
            raise TooManyFindings

    def spend(self, work: int) -> None:
        """Take off what is looked at next.

        Raises:
            TooManyFindings: nothing is left.
        """
        self._for_kept -= work + work // _PASSED
        self.pass_over(work)

    def pass_over(self, work: int) -> None:
        """Take off what is looked at in passing, and what belongs to a part that may go.

        Raises:
            TooManyFindings: nothing is left.
        """
        self._left -= work
        if self._left < 0:
            raise TooManyFindings

    def attempt(self, search: Callable[[], _Found]) -> _Found | None:
        """What a search returns; None if it takes more than is left, of which half stays then."""
        left, for_kept = self._left, self._for_kept
        try:
            return search()
        except TooManyFindings:
            self._left, self._for_kept = left // 2, for_kept
            return None
