"""Bounds the work on one record: a text may take as long as its length allows, and no longer."""

from collections.abc import Callable
from typing import Final, TypeVar

from .findings import TooManyFindings, has_marker

_FIRST: Final = 1000
"""Work that every record may take; each of its characters allows for one more. The unit is about a
microsecond, so that 30 kB of text may take 31 ms, on another thread than the host's. Counted for
each character where nothing but secrets is in the text: rows of JSON with a token 0.2, lines of
logs 0.2, lines of an `.env` file 0.3 to 0.4, `curl` commands 0.6, lists of JSON Web Tokens 0.8,
lines of `Authorization` in a message 1.0, which is the most; secrets in escapes 1.2 to 1.9. The
first thousand is for short texts: 200 bytes, JSON in JSON four times, take 136."""

_PASSED: Final = 4
"""Work for each that is done in passing, at most, where nothing goes."""

_AGAIN: Final = 8
"""Characters that allow for one more in a text that was cleaned before. What is left of a text
hardly ever takes more work than all of it took: of 4,400 hostile texts one took 4 % more."""

_READ: Final = 512
"""Characters that a rule reads for one."""

_Found = TypeVar("_Found")


class Allowance:
    """The work that is left for a record's texts.

    What is in a text is counted, and not the time that it takes: the same text always comes to the
    same end. A cleaned text must come to it, too, although it has become shorter. So what a
    cleaned text is allowed must suffice for all that was looked at in it and is kept.
    """

    def __init__(self) -> None:
        self._left = self._for_kept = self._for_others = _FIRST
        self._room = _FIRST
        self._work = 0

    @classmethod
    def of(cls, text: str) -> "Allowance":
        """The work for one text alone."""
        allowance = cls()
        allowance.grant(text)
        return allowance

    @classmethod
    def of_size(cls, characters: int) -> "Allowance":
        """The work for a text of so many characters that was never cleaned."""
        allowance = cls()
        allowance._left += characters
        return allowance

    def grant(self, text: str) -> None:
        """Allow for a text's length."""
        self._left += len(text) + (len(text) // _AGAIN if has_marker(text) else 0)
        self._for_others = self._for_kept

    def settle(self, cleaned: str, comes_to_the_same: "Callable[[Allowance], bool]") -> None:
        """Charge what was looked at in a text to the length that it has now.

        Args:
            cleaned: The text as it is now.
            comes_to_the_same: Cleans it once more with the work that its length alone allows, and
                no more than is left; true if nothing changes. Called only where what was looked at
                does not fit: parts that have gone may have taken most of it.

        Raises:
            TooManyFindings: it does not suffice.
        """
        self._for_kept += len(cleaned)
        self._room += len(cleaned)
        if self._for_kept >= 0 or self._work <= self._room:
            return
        alone = Allowance()
        alone._left = most = min(len(cleaned), self._left)
        if not comes_to_the_same(alone):
            raise TooManyFindings
        self._left -= most - alone._left
        self._for_kept = self._for_others

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
        self._work += work
        if self._left < 0:
            raise TooManyFindings

    def read_through(self, text: str | bytes) -> None:
        """Take off a pass of a rule's expression through a text.

        Raises:
            TooManyFindings: nothing is left.
        """
        self.pass_over(1 + len(text) // _READ)

    def attempt(self, search: Callable[[], _Found]) -> _Found | None:
        """Return a search's result; None if it takes more than is left: half of that stays then."""
        left, for_kept = self._left, self._for_kept
        try:
            return search()
        except TooManyFindings:
            self._left, self._for_kept = left // 2, for_kept
            return None

    def repeat(self, search: Callable[[], _Found]) -> _Found | None:
        """The same for a text that was searched before: what is kept of it is charged already."""
        for_kept = self._for_kept
        found = self.attempt(search)
        self._for_kept = for_kept
        return found
