"""The scale of a picture: the place of a moment, and its time in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from relayscope.collector.page.trace.clocks import TELLING
from relayscope.collector.text.quantities import duration_text, offset_text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from relayscope.collector.page.trace.places import Places
    from relayscope.collector.query.records import Span

WHOLE: Final = 1000
"""The width of a picture, in which times are thousandths of the trace's."""

_TICKS: Final = 4
_ROOM: Final = 20
"""A zoomed span has a twentieth of its time free on each side."""


@dataclass(frozen=True, slots=True)
class Scale:
    """The times of a picture, and the place of each moment.

    Attributes:
        zero: The time that offsets count from, in ns.
        start: The beginning of the time that is drawn.
        extent: The length of that time.
        corrections: Nanoseconds to add to a component's times, by its name.
        is_zoomed: True if that is not all of the trace's time.
    """

    zero: int
    start: int
    extent: int
    corrections: Mapping[str, int]
    is_zoomed: bool = False

    @classmethod
    def of(cls, places: Places, corrections: Mapping[str, int]) -> Scale:
        """Make it hold all of a trace, but not what is beside it."""
        times = [
            record.time + corrections.get(record.component, 0)
            for record in places.loose
            if places.name(record) not in places.strays
        ]
        for node in places.nodes:
            if node.span is not None:
                shift = corrections.get(node.span.component, 0)
                times += [node.span.start + shift, node.span.end + shift]
            times += [record.time + corrections.get(record.component, 0) for record in node.records]
        start = min(times, default=0)
        return cls(start, start, max(times, default=0) - start, corrections)

    @property
    def told(self) -> dict[str, str]:
        """Corrections of clocks that matter, in words, by component."""
        return {
            component: f"{'+' if ns > 0 else '-'}{duration_text(abs(ns))}"
            for component, ns in self.corrections.items()
            if abs(ns) >= TELLING
        }

    def zoomed(self, span: Span | None) -> Scale:
        """Return the scale for the time of a span; for all of it if the span was not recorded."""
        if span is None:
            return self
        room = (span.end - span.start) // _ROOM
        start = span.start + self.corrections.get(span.component, 0) - room
        extent = max(1, span.end - span.start) + 2 * room
        return replace(self, start=start, extent=extent, is_zoomed=True)

    def between(self, start: int, end: int) -> Scale:
        """Return the scale from one time to another, both counted from `zero`."""
        return replace(self, start=self.zero + start, extent=end - start, is_zoomed=True)

    @property
    def stretch(self) -> tuple[int, int]:
        """Beginning and end of the time that is drawn, counted from `zero`."""
        return self.start - self.zero, self.start - self.zero + self.extent

    def at(self, time: int, component: str) -> int:
        """A component's moment, by the clock of all."""
        return time + self.corrections.get(component, 0)

    def place(self, at: int) -> float:
        """Place of a moment, in thousandths; at the edge if it is beyond."""
        share = WHOLE * (at - self.start) / self.extent if self.extent else 0
        return round(min(max(share, 0), WHOLE), 1)

    def text(self, at: int) -> str:
        """A moment in words."""
        return offset_text(at - self.zero, self.extent)

    def ticks(self) -> list[tuple[float, str]]:
        """Moments to draw a line at."""
        moments = [self.extent * tick // _TICKS for tick in range(_TICKS + 1)]
        return [
            (WHOLE * tick / _TICKS, duration_text(self.start - self.zero + moment))
            for tick, moment in enumerate(moments)
        ]
