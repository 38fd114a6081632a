"""The ids of traces and spans, which no program can make come again.

The SDK takes its ids from Python's `random`, which belongs to the host: two runs of a program that
calls `random.seed(1)` had the same ids, and their traces became one. Ids from the system change
nothing for the host either: the numbers that it draws are those that it draws without us.
"""

import os
from array import array
from typing import Final

from opentelemetry.sdk.trace import Tracer, TracerProvider
from opentelemetry.sdk.trace.id_generator import IdGenerator, RandomIdGenerator

from relayscope.instrumentation.runtime.fork import on_fork

_BYTES_AT_ONCE: Final = 4096
"""Bytes that are taken from the system at once: 8 bytes take 0.5 us, a number that is here 0.1."""

_numbers: Final = array("Q")
"""Random numbers of 64 bits that are not used yet. `pop` is atomic: no two threads get the same."""


def _forget() -> None:
    del _numbers[:]


# Or a child would use the numbers that its parent is about to use.
on_fork(after_in_child=_forget)


class SystemIds(IdGenerator):
    """Takes ids from the system's random numbers."""

    def generate_span_id(self) -> int:
        """Return 64 random bits that are not all zero."""
        while True:
            try:
                return _numbers.pop() or _numbers.pop()
            except IndexError:
                _numbers.frombytes(os.urandom(_BYTES_AT_ONCE))

    def generate_trace_id(self) -> int:
        """Return 128 random bits that are not all zero."""
        while True:
            try:
                return _numbers.pop() << 64 | (_numbers.pop() or 1)
            except IndexError:
                _numbers.frombytes(os.urandom(_BYTES_AT_ONCE))

    def is_trace_id_random(self) -> bool:
        """Return True: all of its bits are."""
        return True


def give_ids(owner: Tracer | TracerProvider) -> None:
    """Give one that takes its ids from Python's `random` the system's instead.

    A generator that the user has chosen stays.
    """
    if type(getattr(owner, "id_generator", None)) is RandomIdGenerator:
        owner.id_generator = SystemIds()
