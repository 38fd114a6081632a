"""Colours of components and peers: the same everywhere, and distinct while there are enough."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from collections.abc import Iterable

COLOURS: Final = 12
"""Classes `c0` ... `c11` in page.css."""

_MOST: Final = 10_000
"""Names that are kept; whoever comes later shares a colour with whom its name meets."""

_COMPONENT: Final = _MOST
"""Weight of a component beside that of a peer: no two components share a colour while one is left
that only peers have."""


class Colours:
    """The colours that were given. Any thread may ask for one."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}
        self._components: set[str] = set()
        self._weights = [0] * COLOURS
        self._lock = threading.Lock()

    def reserve(self, components: Iterable[str]) -> None:
        """Give colours to components, before peers take them."""
        for name in components:
            if name not in self._components and len(self._components) < _MOST:
                self._components.add(name)
                place = self._place(name)
                with self._lock:
                    self._weights[place] += _COMPONENT

    def of(self, name: str | None) -> str:
        """The class of a component or peer."""
        return f"c{self._place(name or '')}"

    def _place(self, name: str) -> int:
        place = self._given.get(name)
        return self._new_place(name) if place is None else place

    def _new_place(self, name: str) -> int:
        with self._lock:
            if name in self._given:
                return self._given[name]
            # Its name says where to begin, so that most have theirs whoever else is there.
            first = crc32(name.encode()) % COLOURS
            order = [*range(first, COLOURS), *range(first)]
            place: int = min(order, key=self._weights.__getitem__)
            if len(self._given) < _MOST:
                self._given[name] = place
                self._weights[place] += 1
            return place
