"""Functions that are called when the host's process forks."""

import inspect
import os
import weakref
from collections.abc import Callable


def _nothing() -> None:
    """Do nothing."""


def on_fork(
    *,
    before: Callable[[], None] = _nothing,
    after_in_parent: Callable[[], None] = _nothing,
    after_in_child: Callable[[], None] = _nothing,
) -> None:
    """Have functions called at each fork, methods for as long as their object lives.

    As `os.register_at_fork` does: `before` the last registered first, the others in order.
    """
    if hasattr(os, "register_at_fork"):  # Windows knows no fork.
        os.register_at_fork(
            before=_weakly(before),
            after_in_parent=_weakly(after_in_parent),
            after_in_child=_weakly(after_in_child),
        )


def _weakly(function: Callable[[], None]) -> Callable[[], None]:
    """Return a function that keeps no object alive for its method."""
    if not inspect.ismethod(function):
        return function
    method = weakref.WeakMethod(function)

    def call() -> None:
        alive = method()
        if alive is not None:
            alive()

    return call
