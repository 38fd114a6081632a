"""A fair queue: next is the sender that has had the least time, and of its requests likewise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(slots=True)
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

    def __init__(self) -> None:
        self._senders: dict[str, _Sender[T]] = {}

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
        waiting = (sender for sender in self._senders.values() if sender.turns)
        # Who has something in hand already comes after those who have as little and have not.
        sender = min(waiting, key=lambda sender: (sender.seconds, sender.away))
        turn = min(sender.turns, key=lambda turn: turn.seconds)
        sender.turns.remove(turn)
        sender.away += 1
        return turn

    def had(self, turn: Turn[T], seconds: float, *, over: bool) -> None:
        """Count what a turn has had; it waits again unless it is over."""
        sender = self._senders[turn.sender]
        sender.away -= 1
        sender.seconds += seconds
        turn.seconds += seconds
        if not over:
            sender.turns.append(turn)
        elif not sender.turns and not sender.away:
            del self._senders[turn.sender]
