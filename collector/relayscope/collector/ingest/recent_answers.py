"""Recent answers, so that a repeated request is not decoded again."""

from __future__ import annotations

import time
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST: Final = 4_096
"""Requests that are remembered, which takes about 1 MB."""

_SECONDS: Final = 60.0
"""Time for which they are remembered: retries come within seconds. Later the database knows."""


class Answer(NamedTuple):
    """The outcome of a request.

    Attributes:
        rejected: number of items that could not be stored, by reason.
        component_class: of the request's components.
        items: number of items that are stored.
    """

    rejected: Mapping[str, int]
    component_class: str
    items: int


class RecentAnswers:
    """Remembers answers for a while."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answers: OrderedDict[bytes, tuple[float, Answer]] = OrderedDict()

    def remember(self, digest: bytes, answer: Answer) -> None:
        """Remember the answer to a request."""
        self._answers[digest] = (self._clock(), answer)
        self._answers.move_to_end(digest)
        if len(self._answers) > _MOST:
            self._answers.popitem(last=False)

    def get(self, digest: bytes) -> Answer | None:
        """Return the answer to a request, if it was given a moment ago."""
        given = self._answers.get(digest)
        if given is None:
            return None
        at, answer = given
        if self._clock() - at > _SECONDS:
            del self._answers[digest]
            return None
        return answer
