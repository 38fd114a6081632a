"""The ladder: a lifeline for each party, an arrow for each message, from the top down.

Each step has a row of its own, so that distances say nothing about time; the left margin says when
it was, and how long after the arrow before. An arrow is level unless something else happened at its
receiver while it was under way: then it ends further down, where it arrived.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from relayscope.collector.page.trace.ladder_markup import ladder_markup
from relayscope.collector.page.trace.ladder_row import BAR, Mark, Row
from relayscope.collector.page.trace.steps import Note, Signal
from relayscope.collector.text.quantities import duration_text, offset_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from markupsafe import Markup

    from relayscope.collector.page.trace.crossings import Party
    from relayscope.collector.page.trace.exchange import Exchange
    from relayscope.collector.page.trace.scale import Scale
    from relayscope.collector.page.trace.steps import Step

MARGIN: Final = 160
"""Pixels for the times, to the left of all lanes."""

ROW: Final = 32
HEAD: Final = 16
_BESIDE: Final = 5
_MOST_BESIDE: Final = 3
_RIGHT: Final = 160
"""Room for texts to the right of the last lifeline."""

_ROOM: Final = 920
"""Width of a ladder beside the chosen message, on a screen of 1,440 pixels."""

_NARROWEST: Final = 112
_WIDEST: Final = 280
_LANE_WIDTHS: Final = {"narrow": 112, "wide": 280}
"""Pixels between two lifelines, where they are not to fit."""

_CHARACTER: Final = 6.4
"""Average width of a character of 12 px in a system's sans, measured in Chromium on Debian."""

_BOLD: Final = 0.86
"""Characters that fit, where they are bold, as a share of others; measured there, too."""

_COLOURS: Final = 8
_LONG: Final = 4
"""A wait is long that takes more than a quarter of the trace."""

_LATE: Final = 100 * 10**6
"""From 100 ms on it is said how long a message was under way, if that is a large part of it all."""


@dataclass(frozen=True, slots=True)
class Lane:
    """A lifeline.

    Attributes:
        party: The party that it is of.
        x: Its place.
        correction: Time that was added to its times; empty if too little to matter.
    """

    party: Party
    x: int
    correction: str = ""


@dataclass(frozen=True, slots=True)
class Bar:
    """A stretch of a lifeline on which its party works for a call."""

    x: int
    y: int
    height: int
    colour: int
    is_open: bool
    """True if no answer ends it."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """All of it, in pixels.

    Attributes:
        lanes: From left to right, `step` pixels apart.
        rows: From the top down.
        bars: On the lifelines.
        width: Of all.
        height: Of all.
        hidden: Number of steps that are not shown because a lane of theirs is not.
    """

    lanes: tuple[Lane, ...]
    rows: tuple[Row, ...]
    bars: tuple[Bar, ...]
    step: int
    width: int
    height: int
    hidden: int

    def markup(self, base: str, at: str, found: frozenset[str]) -> Markup:
        """The rows as SVG; the arguments are those of `ladder_markup`."""
        return ladder_markup(self.rows, base, at, found)


def parties(exchange: Exchange, order: Iterable[str] = ()) -> list[Party]:
    """Return the parties: those of `order` first, then in the order in which they first appear."""
    met: dict[Party, None] = {}
    for step in exchange.steps:
        for party in _of(step):
            met[party] = None
    first = {key: place for place, key in enumerate(order)}
    return sorted(met, key=lambda party: first.get(party.key, len(first)))


def ladder(
    steps: Sequence[Step],
    shown: Sequence[Party],
    scale: Scale,
    *,
    apart: int,
    levels: Sequence[int] | None = None,
) -> Ladder:
    """Lay it out.

    Args:
        steps: In the order of time.
        shown: Parties whose lanes are shown, from left to right.
        scale: Start and duration of the trace, and the correction of each process's clock.
        apart: Pixels between two lanes, as `distance` gives them.
        levels: In which row each step is, where not simply one is below the other.
    """
    places = {party: MARGIN + apart // 2 + apart * place for place, party in enumerate(shown)}
    width = max(places.values(), default=MARGIN) + _RIGHT
    placed = [step for step in steps if all(party in places for party in _of(step))]
    drawing = _Drawing(placed, places, width, scale)
    drawing.place(levels)
    rows = drawing.rows()
    told = scale.told
    return Ladder(
        lanes=tuple(
            Lane(party, x, "" if party.seen_by else told.get(party.name, ""))
            for party, x in places.items()
        ),
        rows=tuple(rows),
        bars=tuple(drawing.bars(rows)),
        step=apart,
        width=width,
        height=drawing.height,
        hidden=len(steps) - len(placed),
    )


def distance(lanes: str, number: int, room: int = _ROOM) -> int:
    """Return the pixels between two lanes.

    Args:
        lanes: One of `address.LANES`.
        number: Number of lanes.
        room: Width in which they are to fit.
    """
    fitting = round((room - MARGIN - _RIGHT) / max(number - 0.5, 1))
    return _LANE_WIDTHS.get(lanes) or min(_WIDEST, max(_NARROWEST, fitting))


def _of(step: Step) -> tuple[Party, ...]:
    return (step.sender, step.receiver) if isinstance(step, Signal) else (step.party,)


class _Drawing:
    """The layout that the rows of one ladder share."""

    def __init__(
        self,
        steps: Sequence[Step],
        places: dict[Party, int],
        width: int,
        scale: Scale,
    ) -> None:
        self._steps = steps
        self._places = places
        self._width = width
        self._zero = scale.zero
        self._extent = scale.extent
        self._colours: dict[str | None, int] = {}
        self._levels: dict[tuple[int, int], int] = {}
        self.height = 0

    def place(self, levels: Sequence[int] | None) -> None:
        """Give each step its row: the next one, or that which is said."""
        if levels is not None:
            self._levels = {
                (place, 0): HEAD + ROW * (level + 1) for place, level in enumerate(levels)
            }
            self.height = HEAD + ROW * (max(levels, default=0) + 2)
            return
        moments = [(step.time, place, 0) for place, step in enumerate(self._steps)]
        moments += [(arrives, place, 1) for place, arrives in _arrivals(self._steps)]
        self._levels = {
            (place, end): HEAD + ROW * level
            for level, (_, place, end) in enumerate(sorted(moments), 1)
        }
        self.height = HEAD + ROW * (len(moments) + 1)

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
            marks = self._marks(step, room - len(label) - 1)
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
        """Bars of work: from a request's arrival to its answer, or to where that ended."""
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
            if row.to_x == row.x or (end is None and row.step.trouble is None):  # type: ignore[union-attr]  # a request's
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

    def _marks(self, step: Step, room: int) -> tuple[Mark, ...]:
        if isinstance(step, Note):
            return ()
        marks = []
        if step.odd:
            marks.append(Mark("odd", f"! {step.odd.replace('_', ' ')}"))
        if step.trouble:
            marks.append(Mark("bad", f"✗ {step.trouble}"))
        if step.is_changed:
            marks.append(Mark("odd", "! changed on the way"))
        if step.is_stray:
            marks.append(Mark("quiet", "beside this trace"))
        under_way = step.arrives - step.leaves
        if under_way >= _LATE and under_way * _LONG > self._extent:
            marks.append(Mark("quiet", f"arrived {duration_text(under_way)} later"))
        bold = round(room * _BOLD)
        return tuple(Mark(mark.kind, _cut(mark.text, bold)) for mark in marks)

    def _colour(self, call: str | None) -> int | None:
        if call is None:
            return None
        return self._colours.setdefault(call, len(self._colours) % _COLOURS)


def _arrivals(steps: Sequence[Step]) -> list[tuple[int, int]]:
    """Return the signals that cannot be level, and when they arrive.

    Drawn level, they would arrive before what was before them. That is where their receiver does
    something while they are under way, or where another one to it leaves later and arrives earlier.
    """
    moments: defaultdict[Party, list[tuple[int, int]]] = defaultdict(list)
    for place, step in enumerate(steps):
        here = step.sender if isinstance(step, Signal) else step.party
        moments[here].append((step.time, place))
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
            until = bisect_left(there, (step.arrives, -1))
            meanwhile = until - bisect_right(there, (step.leaves, place))
            if place in overtaken or meanwhile > 0:
                found.append((place, step.arrives))
                insort(there, (step.arrives, place))
    return found


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(0, room - 1)]}…" if room > 0 else ""
