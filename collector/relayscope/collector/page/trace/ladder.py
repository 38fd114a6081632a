"""The ladder: a lifeline for each party, an arrow for each message, from the top down.

Each step has a row of its own, so that distances say nothing about time; the left margin says when
it was, and how long after the arrow before. An arrow is level unless something else happened at its
receiver while it was under way: then it ends further down, where it arrived.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass
from math import atan2, cos, sin
from typing import TYPE_CHECKING, Final, NamedTuple

from relayscope.collector.page.trace.exchange import Note, Signal
from relayscope.collector.render.quantities import duration_text, offset_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from relayscope.collector.page.trace.crossings import Party
    from relayscope.collector.page.trace.exchange import Exchange

MARGIN: Final = 148
"""Pixels for the times, to the left of all lanes."""

ROW: Final = 32
HEAD: Final = 16
BAR: Final = 8
"""Width of the bar on a lifeline while its party works; each further call stands so much beside."""

_EDGE: Final = BAR // 2
_HEAD_LENGTH: Final = 8
_HEAD_ANGLE: Final = 0.45
_BESIDE: Final = 5
_MOST_BESIDE: Final = 3
_RIGHT: Final = 160
"""Room for texts to the right of the last lifeline."""

_FITTING: Final = 920
"""How wide a ladder is beside what is chosen, on a screen of 1,440 pixels."""

_NARROWEST: Final = 112
_WIDEST: Final = 280
_LANE_WIDTHS: Final = {"narrow": 112, "wide": 280}
"""Pixels between two lifelines, where they are not to fit."""

_CHARACTER: Final = 6.4
"""Average width of a character of 12 px in a system's sans, measured in Chromium on Debian."""

_COLOURS: Final = 8
_LONG: Final = 8
"""A wait is long that takes more than an eighth of the trace."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lifeline.

    Attributes:
        party: Whose.
        x: Where it stands.
        correction: What was added to its times; empty if nothing that matters.
    """

    party: Party
    x: int
    correction: str = ""


class Mark(NamedTuple):
    """A word that stands out: `odd`, `bad`, or `quiet`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Row:
    """A step, and where it stands: an arrow from `x` to `to_x`, or a mark at `x`.

    Attributes:
        step: What it is.
        y: Where it begins; `to_y` where it ends.
        text_x: Where its text begins.
        label: What it is, as far as there is room.
        marks: What stands out about it.
        said: What it says, as far as there is room.
        time: When.
        since: How long after the arrow before.
        is_long: Whether that is a large part of the trace's time.
        colour: That of its call, from 0 to 7.
    """

    step: Signal | Note
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
        """Whether it is an arrow, rather than a mark at one lifeline."""
        return isinstance(self.step, Signal)

    @property
    def tone(self) -> str:
        """How it stands out as a whole: `error`, `odd`, `unanswered`, `warn`, or not at all."""
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
            (round(end - _HEAD_LENGTH * cos(angle + turn)), round(y - _HEAD_LENGTH * sin(angle + turn)))
            for turn in (_HEAD_ANGLE, -_HEAD_ANGLE)
        )
        return f"M{left[0]} {left[1]}L{end} {y}L{right[0]} {right[1]}"

    @property
    def _ends(self) -> tuple[int, int]:
        side = _EDGE if self.to_x > self.x else -_EDGE
        return self.x + side, self.to_x - side


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a lifeline on which its party works for a call."""

    x: int
    y: int
    height: int
    colour: int
    is_open: bool
    """Whether no answer ends it."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """All of it, in pixels, `step` from lane to lane; `hidden` steps are not shown because a lane of theirs is not."""

    lanes: tuple[Lane, ...]
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...]
    step: int
    width: int
    height: int
    hidden: int


def parties(exchange: Exchange, order: Iterable[str] = ()) -> list[Party]:
    """Who takes part: those of `order` first, then in the order in which they first appear."""
    met: dict[Party, None] = {}
    for step in exchange.steps:
        for party in _of(step):
            met[party] = None
    first = {key: place for place, key in enumerate(order)}
    return sorted(met, key=lambda party: first.get(party.key, len(first)))


def ladder(
    steps: Sequence[Signal | Note],
    shown: Sequence[Party],
    *,
    corrections: dict[str, str],
    zero: int,
    extent: int,
    lanes: str = "fitting",
) -> Ladder:
    """Lay it out.

    Args:
        steps: In the order of time.
        shown: Whose lanes are shown, from left to right.
        corrections: In words, by component.
        zero: What times count from.
        extent: How long the trace took.
        lanes: How far apart lanes are: one of `address.LANES`.
    """
    step_x = _LANE_WIDTHS.get(lanes) or _fitting(len(shown))
    places = {party: MARGIN + step_x // 2 + step_x * place for place, party in enumerate(shown)}
    width = max(places.values(), default=MARGIN) + _RIGHT
    placed = [step for step in steps if all(party in places for party in _of(step))]
    drawing = _Drawing(placed, places, width, zero, extent)
    rows = drawing.rows()
    return Ladder(
        lanes=tuple(
            Lane(party, x, "" if party.seen_by else corrections.get(party.name, ""))
            for party, x in places.items()
        ),
        rows=tuple(rows),
        bars=tuple(drawing.bars(rows)),
        step=step_x,
        width=width,
        height=drawing.height,
        hidden=len(steps) - len(placed),
    )


def _fitting(number: int) -> int:
    return min(_WIDEST, max(_NARROWEST, round((_FITTING - MARGIN - _RIGHT) / max(number - 0.5, 1))))


def _of(step: Signal | Note) -> tuple[Party, ...]:
    return (step.sender, step.receiver) if isinstance(step, Signal) else (step.party,)


class _Drawing:
    """What the rows of one ladder share."""

    def __init__(
        self,
        steps: Sequence[Signal | Note],
        places: dict[Party, int],
        width: int,
        zero: int,
        extent: int,
    ) -> None:
        self._steps = steps
        self._places = places
        self._width = width
        self._zero = zero
        self._extent = extent
        self._arrivals = _arrivals(steps)
        moments = sorted(
            [(step.time, place, 0) for place, step in enumerate(steps)]
            + [(steps[place].arrives, place, 1) for place in self._arrivals]  # type: ignore[union-attr]
        )
        self._levels = {
            (place, end): HEAD + ROW * level for level, (_, place, end) in enumerate(moments, 1)
        }
        self.height = HEAD + ROW * (len(moments) + 1)
        self._colours: dict[str | None, int] = {}

    def rows(self) -> list[Row]:
        """The steps in their places."""
        rows = []
        before = self._steps[0].time if self._steps else 0
        for place, step in enumerate(self._steps):
            y = self._levels[place, 0]
            since = step.time - before
            if isinstance(step, Signal):
                x, to_x = self._places[step.sender], self._places[step.receiver]
                before = step.time
            else:
                x = to_x = self._places[step.party]
            text_x = min(x, to_x) + BAR + 6
            room = int((self._width - text_x) / _CHARACTER)
            label = _cut(step.label, room)
            marks = self._marks(step)
            room -= len(label) + sum(len(mark.text) + 1 for mark in marks) + 1
            rows.append(
                Row(
                    step=step,
                    y=y,
                    x=x,
                    to_x=to_x,
                    to_y=self._levels.get((place, 1), y),
                    text_x=text_x,
                    label=label,
                    marks=marks,
                    said=_cut(step.said, room),
                    time=offset_text(step.time - self._zero, self._extent),
                    since=f"+{duration_text(since)}" if place else "",
                    is_long=since * _LONG > self._extent and place > 0,
                    colour=self._colour(step.call),
                )
            )
        return rows

    def bars(self, rows: Iterable[Row]) -> list[Bar]:
        """Where parties work: from a request's arrival to its answer, or to where that ended."""
        begun: dict[str, Row] = {}
        ended: dict[str, Row] = {}
        for row in rows:
            step = row.step
            if step.call is None:
                continue
            if isinstance(step, Signal) and step.kind == "request":
                begun.setdefault(step.call, row)
            elif not (isinstance(step, Signal) and step.is_asking):
                ended.setdefault(step.call, row)
        bars: list[Bar] = []
        taken: defaultdict[int, list[int]] = defaultdict(list)
        for call, row in sorted(begun.items(), key=lambda item: item[1].to_y):
            end = ended.get(call)
            if row.to_x == row.x or (end is None and row.step.trouble is None):  # type: ignore[union-attr]
                continue
            bottom = max(end.y, row.to_y) if end is not None else self.height - HEAD
            free = taken[row.to_x]
            beside = next((at for at, until in enumerate(free) if until <= row.to_y), len(free))
            free[beside : beside + 1] = [bottom]
            bars.append(
                Bar(
                    x=row.to_x - BAR // 2 + _BESIDE * min(beside, _MOST_BESIDE),
                    y=row.to_y,
                    height=max(bottom - row.to_y, 2),
                    colour=row.colour or 0,
                    is_open=end is None or isinstance(end.step, Note),
                )
            )
        return bars

    def _marks(self, step: Signal | Note) -> tuple[Mark, ...]:
        if isinstance(step, Note):
            return ()
        marks = []
        if step.odd:
            marks.append(Mark("odd", f"! {step.odd.replace('_', ' ')}"))
        if step.trouble:
            marks.append(Mark("bad", f"✗ {step.trouble}"))
        if step.is_changed:
            marks.append(Mark("odd", "! changed on the way"))
        if (step.arrives - step.leaves) * _LONG > self._extent > 0:
            marks.append(Mark("quiet", f"arrived {duration_text(step.arrives - step.leaves)} later"))
        return tuple(marks)

    def _colour(self, call: str | None) -> int | None:
        if call is None:
            return None
        return self._colours.setdefault(call, len(self._colours) % _COLOURS)


def _arrivals(steps: Sequence[Signal | Note]) -> list[int]:
    """Which signals cannot be level: drawn so, they would arrive before what was before them.

    That is where their receiver does something while they are under way, or where another one to
    it leaves later and arrives earlier.
    """
    moments: defaultdict[Party, list[int]] = defaultdict(list)
    for step in steps:
        moments[step.sender if isinstance(step, Signal) else step.party].append(step.time)
    overtaken = set()
    earliest: dict[Party, int] = {}
    for place, step in reversed(list(enumerate(steps))):
        if isinstance(step, Signal):
            if earliest.get(step.receiver, step.arrives) < step.arrives:
                overtaken.add(place)
            earliest[step.receiver] = min(earliest.get(step.receiver, step.arrives), step.arrives)
    found = []
    for place, step in enumerate(steps):
        if isinstance(step, Signal):
            there = moments[step.receiver]
            meanwhile = bisect_left(there, step.arrives) - bisect_right(there, step.leaves)
            if place in overtaken or meanwhile > 0:
                found.append(place)
                insort(there, step.arrives)
    return found


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(0, room - 1)]}…" if room > 0 else ""
