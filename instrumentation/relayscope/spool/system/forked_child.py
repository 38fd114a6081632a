"""A forked child leaves its parent's spools alone."""

import os
from typing import Protocol
from weakref import WeakSet


class Inherited(Protocol):
    """Something that a forked child finds open and must not use."""

    def after_fork_in_child(self) -> None:
        """Close what is the parent's, without a word to the disk. Must not raise."""


_inherited: WeakSet[Inherited] = WeakSet()


def on_fork(thing: Inherited) -> None:
    """Tell ``thing`` when it finds itself in a child process, as long as it lives."""
    _inherited.add(thing)


def _after_in_child() -> None:
    for thing in list(_inherited):
        thing.after_fork_in_child()


if hasattr(os, "register_at_fork"):  # Windows knows no fork.
    os.register_at_fork(after_in_child=_after_in_child)
