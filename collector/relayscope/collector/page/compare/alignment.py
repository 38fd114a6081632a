"""Two traces step by step: what both have, what only one has, and where they first part."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import TYPE_CHECKING, Final, NamedTuple

from relayscope.collector.page.trace.steps import Signal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from relayscope.collector.page.trace.crossings import Party
    from relayscope.collector.page.trace.steps import Step

_ID: Final = re.compile(r" #\S+$")

_MOST: Final = 400
"""Steps after the first difference that are matched with each other; matching takes the square."""


class Likeness(NamedTuple):
    """By what two steps are the same: not by ids, times, or texts."""

    sender: str
    receiver: str
    kind: str
    label: str
    trouble: str


@dataclass(frozen=True, slots=True)
class Pair:
    """A step of each trace; None where only the other has one."""

    left: Step | None
    right: Step | None
    is_same: bool = False

    @property
    def says_otherwise(self) -> bool:
        """True if both are the same answer but for its text, as far as a line shows that."""
        return (
            self.is_same
            and isinstance(self.left, Signal)
            and isinstance(self.right, Signal)
            and not self.left.is_asking
            and self.left.said != self.right.said
        )


@dataclass(frozen=True, slots=True)
class Alignment:
    """All steps of both traces; `parts_at` is the place of the first pair that is not the same."""

    pairs: tuple[Pair, ...]
    parts_at: int | None

    @property
    def otherwise_at(self) -> tuple[int, ...]:
        """The places of answers that are the same but for their texts."""
        return tuple(place for place, pair in enumerate(self.pairs) if pair.says_otherwise)


def aligned(left: Sequence[Step], right: Sequence[Step]) -> Alignment:
    """Put the steps of two traces beside each other, each in its own order."""
    ours, theirs = (
        [step for step in left if _counts(step)],
        [step for step in right if _counts(step)],
    )
    likenesses = [likeness(step) for step in ours], [likeness(step) for step in theirs]
    same = 0
    while same < min(len(ours), len(theirs)) and likenesses[0][same] == likenesses[1][same]:
        same += 1
    pairs = [Pair(*two, is_same=True) for two in zip(ours[:same], theirs[:same], strict=True)]
    until = same + _MOST
    matcher = SequenceMatcher(
        None, likenesses[0][same:until], likenesses[1][same:until], autojunk=False
    )
    for tag, a, b, c, d in matcher.get_opcodes():
        pairs += _paired(tag, ours[same + a : same + b], theirs[same + c : same + d])
    pairs += [Pair(step, None) for step in ours[until:]]
    pairs += [Pair(None, step) for step in theirs[until:]]
    parts_at = next((place for place, pair in enumerate(pairs) if not pair.is_same), None)
    return Alignment(tuple(pairs), parts_at)


def likeness(step: Step) -> Likeness:
    """Return what a step has in common with those that count as the same."""
    if isinstance(step, Signal):
        trouble = step.odd or _trouble(step)
        label = _ID.sub("", step.label)
        return Likeness(_name(step.sender), _name(step.receiver), step.kind, label, trouble)
    return Likeness(_name(step.party), "", step.kind, step.label, step.severity)


def _trouble(signal: Signal) -> str:
    """Return what became of a call: a tool may fail in a result, which is no error otherwise."""
    return "unanswered" if signal.trouble else "failed" if signal.failed else ""


def _paired(tag: str, ours: Sequence[Step], theirs: Sequence[Step]) -> Iterator[Pair]:
    """Pair steps of the same place; one may have replaced the other."""
    yield from (Pair(*two, is_same=tag == "equal") for two in zip_longest(ours, theirs))


def _counts(step: Step) -> bool:
    """Return whether a step is compared: a signal, a warning or an error, but no other record."""
    return isinstance(step, Signal) or bool(step.severity)


def _name(party: Party) -> str:
    """Return a party's name without what differs between traces, as ports do."""
    return party.name if party.seen_by is None else f"peer of {party.seen_by}"
