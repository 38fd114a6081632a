"""The state of a trace's page: all of it stands in the address."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote_plus, urlencode

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.datastructures import QueryParams

VIEWS: Final = ("ladder", "waterfall", "log")

LANES: Final = ("fitting", "narrow", "wide")
"""Distances between lifelines."""

KINDS: Final = {
    "request": "requests",
    "result": "results",
    "error": "errors",
    "notification": "notifications",
    "other": "other messages",
    "log": "log records",
    "event": "span events",
    "lifecycle": "channels and delivery",
}
"""Kinds that can be hidden. The last is what relayscope says of connections in good order."""

_USUALLY_HIDDEN: Final = ("lifecycle",)
_NOTHING: Final = "nothing"
_LONGEST: Final = 200
"""Characters of a text that is looked for."""

_STRETCH: Final = re.compile(r"([0-9]{1,18})-([0-9]{1,18})")

_MOST_DIGITS: Final = 9
"""Digits of a number in an address."""

_MOST: Final = 2000
"""Spans and lanes that an address names one by one."""


@dataclass(frozen=True, slots=True)
class Address:
    """The part of an address behind `?`.

    Attributes:
        view: One of `VIEWS`.
        at: The name of what is chosen (`places.py`).
        depth: Levels of spans that are open; None for all.
        longer: Only spans that take at least so many ms.
        without: The `KINDS` that are hidden.
        fold: Names of spans that are folded.
        open: Names of spans that are open, whatever their depth.
        find: A text that is looked for.
        hide: Lanes that are not shown.
        order: Lanes that come first, in this order.
        lanes: One of `LANES`.
        clocks: `own` for times as they were recorded.
        zoom: The name of a span whose time is all that the waterfall shows.
        between: The time that it shows, as `FROM-TO` in ns from the trace's beginning.
        first: The place of the first record that is shown, counted from 1; None for the beginning.
    """

    view: str = VIEWS[0]
    at: str = ""
    depth: int | None = None
    longer: int | None = None
    without: tuple[str, ...] = _USUALLY_HIDDEN
    fold: tuple[str, ...] = ()
    open: tuple[str, ...] = ()
    find: str = ""
    hide: tuple[str, ...] = ()
    order: tuple[str, ...] = ()
    lanes: str = LANES[0]
    clocks: str = ""
    zoom: str = ""
    between: str = ""
    first: int | None = None

    @classmethod
    def of(cls, given: QueryParams) -> Address:
        """Read it; what it cannot mean is as if it had not been said."""
        return cls(
            view=_one_of(VIEWS, given.get("view")),
            at=given.get("at", ""),
            depth=_number(given.get("depth")),
            longer=_number(given.get("longer")),
            without=_without(given),
            fold=_several(given, "fold"),
            open=_several(given, "open"),
            find=given.get("find", "")[:_LONGEST],
            hide=_several(given, "hide"),
            order=_several(given, "order"),
            lanes=_one_of(LANES, given.get("lanes")),
            clocks="own" if given.get("clocks") == "own" else "",
            zoom=given.get("zoom", ""),
            between=_stretch(given.get("between", "")),
            first=_number(given.get("first")),
        )

    def to(self, **changes: Any) -> str:
        """An address that says the same but for the changes, as a reference."""
        return f"?{urlencode(replace(self, **changes).parts)}"

    @property
    def parts(self) -> list[tuple[str, str]]:
        """Names and values of its parameters; defaults are left out."""
        parts: list[tuple[str, str]] = []
        for field in fields(self):
            value = getattr(self, field.name)
            if value == field.default or value is None:
                continue
            if isinstance(value, tuple):
                parts += [(field.name, one) for one in value or (_NOTHING,)]
            else:
                parts.append((field.name, str(value)))
        return parts

    def but(self, *names: str) -> list[tuple[str, str]]:
        """Return the names and values of its parameters without those of some names."""
        return [(name, value) for name, value in self.parts if name not in names]

    @property
    def stretch(self) -> tuple[int, int] | None:
        """The time of `between`; None for all of the trace's."""
        start, _, end = self.between.partition("-")
        return (int(start), int(end)) if end else None

    @property
    def reset(self) -> str:
        """The address that shows everything as usual."""
        return Address(self.view, self.at, find=self.find, first=self.first).to()

    @property
    def choosing(self) -> str:
        """The address that chooses something, up to `at=`."""
        rest = replace(self, at="")
        return f"{rest.to()}&" if rest.parts else "?"

    def folding(self) -> Callable[[str], str]:
        """Return what gives the address with a span folded: each of a trace has such a link."""
        beginning = f"{self.to()}&" if self.parts else "?"

        def folded(span: str) -> str:
            if span in self.open:
                return self.to(
                    fold=(*self.fold, span), open=tuple(one for one in self.open if one != span)
                )
            return f"{beginning}fold={quote_plus(span)}"

        return folded

    def unfolded(self, span: str) -> str:
        """The address with a span open."""
        fold = tuple(one for one in self.fold if one != span)
        return self.to(fold=fold, open=self.open if self.depth is None else (*self.open, span))

    def toggled(self, name: str, value: str) -> str:
        """The address with the value added to those of that name, or taken away."""
        values = getattr(self, name)
        if value in values:
            return self.to(**{name: tuple(one for one in values if one != value)})
        return self.to(**{name: (*values, value)})


def _without(given: QueryParams) -> tuple[str, ...]:
    """The hidden kinds: links name them, and forms the others, as boxes that are ticked."""
    if shown := given.getlist("with"):
        return tuple(kind for kind in KINDS if kind not in shown)
    if hidden := given.getlist("without"):
        return tuple(kind for kind in KINDS if kind in hidden)
    return _USUALLY_HIDDEN


def _one_of(known: tuple[str, ...], given: str | None) -> str:
    return given if given in known else known[0]


def _number(given: str | None) -> int | None:
    if given and given.isascii() and given.isdigit() and len(given) <= _MOST_DIGITS:
        return int(given)
    return None


def _stretch(given: str) -> str:
    found = _STRETCH.fullmatch(given)
    return given if found and int(found[1]) < int(found[2]) else ""


def _several(given: QueryParams, name: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(given.getlist(name)[:_MOST]))
