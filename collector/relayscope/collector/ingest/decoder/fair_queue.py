"""A fair queue: next is the sender that has had the least time, and of its requests likewise.

What takes longer is not interrupted by its like, or many large requests of many senders would all
be ready at the same time, too late for each of them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

T = TypeVar("T")

_SHORT: Final = 0.05
"""Seconds in which most requests are decoded: a thousand records. Each has them in fair turns."""

_AHEAD: Final = 1.0
"""Seconds that a sender may be ahead of another to have a longer request finished: the largest that
gRPC takes by default (4 MiB of small records) takes about so long."""


@dataclass(slots=True, eq=False)
class Turn(Generic[T]):
    """One piece of work, and how many seconds it has had."""

    sender: str
    work: T
    seconds: float = 0.0


@dataclass(slots=True)
class _Sender(Generic[T]):
    seconds: float
    turns: list[Turn[T]] = field(default_factory=list)
    away: int = 0
    """Turns that have been taken and not come back."""


class FairQueue(Generic[T]):
    """The work that waits, by sender. Nobody knows what it will take: time is counted as it goes.

    Who comes anew has as much as the one with the least, so that nobody saves up time while he is
    away, and nobody starts with a debt.
    """

    def __init__(self, at_a_time: int) -> None:
        """Begin with nothing that waits; so many turns are taken at a time."""
        self._at_a_time = at_a_time
        self._senders: dict[str, _Sender[T]] = {}
        self._long: list[Turn[T]] = []

    def __len__(self) -> int:
        """Return how many wait, without those that are taken."""
        return sum(len(sender.turns) for sender in self._senders.values())

    def add(self, sender: str, work: T) -> None:
        """Let a new piece of work wait."""
        if sender not in self._senders:
            least = min((known.seconds for known in self._senders.values()), default=0.0)
            self._senders[sender] = _Sender(least)
        self._senders[sender].turns.append(Turn(sender, work))

    def take(self) -> Turn[T]:
        """The next one, which does not wait any more."""
        least, turn = min(
            (
                (sender, min(sender.turns, key=lambda turn: turn.seconds))
                for sender in self._senders.values()
                if sender.turns
            ),
            key=_rank,
        )
        if turn.seconds >= _SHORT:
            turn = self._to_finish(least.seconds + _AHEAD) or turn
        sender = self._senders[turn.sender]
        sender.turns.remove(turn)
        sender.away += 1
        return turn

    def _to_finish(self, most: float) -> Turn[T] | None:
        """The longer request that is being finished, unless its sender has had its time."""
        for turn in self._long:
            sender = self._senders[turn.sender]
            if turn in sender.turns and sender.seconds < most:
                return turn
        return None

    def had(self, turn: Turn[T], seconds: float, *, over: bool) -> None:
        """Count what a turn has had; it waits again unless it is over."""
        sender = self._senders[turn.sender]
        sender.away -= 1
        sender.seconds += seconds
        turn.seconds += seconds
        self._choose(turn, is_long=not over and _SHORT <= turn.seconds < _AHEAD)
        if not over:
            sender.turns.append(turn)
        elif not sender.turns and not sender.away:
            del self._senders[turn.sender]

    def _choose(self, turn: Turn[T], *, is_long: bool) -> None:
        """Finish a longer request, if not enough others are being finished, or not any more."""
        if not is_long and turn in self._long:
            self._long.remove(turn)
        elif is_long and turn not in self._long and len(self._long) < self._at_a_time:
            self._long.append(turn)


def _rank(first: tuple[_Sender[T], Turn[T]]) -> tuple[float, int, float]:
    """The claim of a sender and its next turn, the least first.

    What a short request has had counts when it is over, or its second turn would come after all
    longer ones. Who has something in hand comes after those who have had as little and have not.
    """
    sender, turn = first
    begun = turn.seconds if turn.seconds < _SHORT else 0.0
    return sender.seconds - begun, sender.away, turn.seconds
