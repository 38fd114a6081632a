"""A row of the ladder: an arrow with its head, or a mark at one lifeline, and its words."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, sin
from typing import TYPE_CHECKING, Final, NamedTuple

from relayscope.collector.page.trace.steps import Note, Signal

if TYPE_CHECKING:
    from relayscope.collector.page.trace.steps import Step

BAR: Final = 8
"""Width of the bar on a lifeline while its party works; each further call stands so much beside."""

_EDGE: Final = BAR // 2
_HEAD_LENGTH: Final = 8
_HEAD_ANGLE: Final = 0.45


class Mark(NamedTuple):
    """A word that stands out: `odd`, `bad`, or `quiet`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A step, and where it stands: an arrow from `x` to `to_x`, or a mark at `x`.

    Attributes:
        step: The step that it shows.
        y: The height at which it begins; it ends at `to_y`.
        text_x: The place at which its text begins.
        label: The step's label, as far as there is room.
        marks: Marks for what is unusual about it.
        said: The step's contents, as far as there is room.
        time: Its time.
        since: Time since the arrow before.
        is_long: True if that is a large part of the trace's time.
        colour: That of its call, from 0 to 7.
    """

    step: Step
    y: int
    x: int
    to_x: int
    to_y: int
    text_x: int
    label: str
    marks: tuple[Mark, ...]
    said: str
    time: str
    since: str
    is_long: bool
    colour: int | None

    @property
    def is_arrow(self) -> bool:
        """True if the row is an arrow, and not a mark at one lifeline."""
        return isinstance(self.step, Signal)

    @property
    def begins(self) -> tuple[str, ...]:
        """Names of the spans of the call that it begins."""
        return self.step.begins if isinstance(self.step, Signal) else ()

    @property
    def tone(self) -> str:
        """The state that it stands out by: `error`, `odd`, `unanswered`, `warn`, or none."""
        step = self.step
        if isinstance(step, Note):
            return "error" if step.kind == "unanswered" else step.severity
        if step.kind == "error":
            return "error"
        return "unanswered" if step.trouble else "odd" if step.odd else ""

    @property
    def spoken(self) -> str:
        """All of it in words, for who does not see the drawing."""
        step = self.step
        if isinstance(step, Signal):
            where = f"from {step.sender.key} to {step.receiver.key}"
        else:
            where = f"at {step.party.key}"
        marks = "".join(f", {mark.text}" for mark in self.marks)
        return f"{self.time}: {self.label} {where}{marks}"

    @property
    def shaft(self) -> str:
        """The path of its line, from the edge of one bar to that of another."""
        if self.x == self.to_x:
            return f"M{self.x + _EDGE} {self.y}h28v{max(8, self.to_y - self.y)}H{self.x + _EDGE}"
        start, end = self._ends
        return f"M{start} {self.y}L{end} {self.to_y}"

    @property
    def point(self) -> str:
        """The path of its head: an arrow's, or a cross where it led to nothing."""
        start, end = self._ends
        y = self.to_y
        if isinstance(self.step, Signal) and self.step.trouble:
            return f"M{end - 5} {y - 5}l10 10m0 -10l-10 10"
        if self.x == self.to_x:
            end, y, start = self.x + _EDGE, max(self.y + 8, self.to_y), self.x + 28
        angle = atan2(y - self.y if self.x != self.to_x else 0, end - start)
        left, right = (
            (
                round(end - _HEAD_LENGTH * cos(angle + turn)),
                round(y - _HEAD_LENGTH * sin(angle + turn)),
            )
            for turn in (_HEAD_ANGLE, -_HEAD_ANGLE)
        )
        return f"M{left[0]} {left[1]}L{end} {y}L{right[0]} {right[1]}"

    @property
    def _ends(self) -> tuple[int, int]:
        side = _EDGE if self.to_x > self.x else -_EDGE
        return self.x + side, self.to_x - side
