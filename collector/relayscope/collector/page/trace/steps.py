"""Steps of a trace: a signal from one party to another, or a note of something at one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from relayscope.collector.page.trace.crossings import Party

ASKING: Final = ("request", "notification")
"""Kinds of messages that begin something, rather than ending it."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Something that one party said to another.

    Attributes:
        names: Of its records in the trace, or of the span if nothing else is known of it.
        sender: The party that sent it.
        receiver: The party that it was sent to.
        leaves: The time at which it was sent, in ns.
        arrives: The time at which it was received; `leaves` if only one of them is known.
        kind: One of `address.KINDS`, or `connect`.
        label: Its kind, method and id, in short.
        said: Its contents, in short.
        call: The span of its call.
        odd: Its oddity, one of `OddTraffic`.
        trouble: The reason why it led to nothing.
        failed: True if it says that the call failed: an error, or a tool's result that is one.
        is_changed: True if another text arrived than was sent.
        is_stray: True if it is in no trace, and was on a connection of this one.
        begins: Names of the spans of the call that it begins, at its ends.
    """

    names: tuple[str, ...]
    sender: Party
    receiver: Party
    leaves: int
    arrives: int
    kind: str
    label: str
    said: str = ""
    call: str | None = None
    odd: str | None = None
    trouble: str | None = None
    failed: bool = False
    is_changed: bool = False
    is_stray: bool = False
    begins: tuple[str, ...] = ()

    @property
    def time(self) -> int:
        """The time at which it was sent."""
        return self.leaves

    @property
    def is_asking(self) -> bool:
        """True if it begins something, False if it ends something."""
        return self.kind in ASKING


@dataclass(frozen=True, slots=True)
class Note:
    """Something that happened at one party.

    Attributes:
        names: Of the spans or records that it is about, in the trace.
        party: The party at which it happened.
        time: Its time, in ns.
        kind: One of `address.KINDS`, or `unanswered`.
        label: Its name, in short.
        said: Its contents, in short.
        severity: `error`, `warn`, or nothing.
        call: The span of the call that it ends.
    """

    names: tuple[str, ...]
    party: Party
    time: int
    kind: str
    label: str
    said: str = ""
    severity: str = ""
    call: str | None = None


Step = Signal | Note
