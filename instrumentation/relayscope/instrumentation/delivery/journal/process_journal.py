"""The one journal of this process, made with its first record.

A program that records nothing has none, and pays for none: to import what one needs takes as long
as all of OpenTelemetry's SDK.
"""

import functools
from typing import TYPE_CHECKING

from opentelemetry.sdk.resources import Resource

from relayscope.instrumentation.runtime.making import OnceMade
from relayscope.instrumentation.runtime.shield import shielded

from .beginning import Beginning

if TYPE_CHECKING:
    from .journal import Journal, Place


class ProcessJournal:
    """The journal of a process, and those who append to it."""

    def __init__(self) -> None:
        self._beginning: Beginning | None = None
        # Known before it begins: what it says on the host's log may be its first record.
        self._journal = OnceMade(_new_journal, self._begin)
        self._users = 0

    def begin(self, resource: Resource) -> None:
        """Take note of the process, unless that has been done."""
        if self._beginning is None:
            self._beginning = Beginning.of_this_process(resource)

    @property
    @shielded
    def journal(self) -> "Journal":
        """The journal, which the first who asks for it makes; None if it cannot be made."""
        return self._journal.get()

    @property
    def place(self) -> "Place | None":
        """The place of its records; None before it has begun."""
        journal = None if self._beginning is None else self.journal
        return None if journal is None else journal.place

    def join(self) -> None:
        """One more part of this process emits records."""
        self._users += 1

    def leave(self) -> None:
        """One part of this process is done; after the last one the account is closed."""
        self._users -= 1
        if self._users == 0:
            self.end()

    def end(self) -> None:
        """Close the account, if there is one."""
        journal = self._already_made
        if journal is not None:
            journal.end()

    def flush(self) -> None:
        """Hand the records in memory to the operating system."""
        journal = self._already_made
        if journal is not None:
            journal.flush()

    @property
    def _already_made(self) -> "Journal | None":
        return self.journal if self._journal.is_made else None

    def _begin(self, journal: "Journal") -> None:
        if self._beginning is not None:
            journal.begin(self._beginning)


def _new_journal() -> "Journal":
    from relayscope.instrumentation.runtime.shared_sanitizer import (  # noqa: PLC0415  # takes 0.1 s
        shared_sanitizer,
    )

    from .journal import Journal  # noqa: PLC0415  # the same

    return Journal(shared_sanitizer())


def begin(resource: Resource) -> None:
    """Let this process's journal begin, if it has one."""
    if shared_journal.cache_info().currsize:
        shared_journal().begin(resource)


def close_account() -> None:
    """Close the account of this process, which ends in another way than its exporters expect."""
    if shared_journal.cache_info().currsize:
        shared_journal().end()


def place() -> "Place | None":
    """Return where this process's records are; None where none are kept."""
    return shared_journal().place if shared_journal.cache_info().currsize else None


@functools.cache
def shared_journal() -> ProcessJournal:
    """Return the journal of this process."""
    return ProcessJournal()
