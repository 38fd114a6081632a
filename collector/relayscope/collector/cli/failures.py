"""Errors of reading as the end of a command: one line and exit code 1."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from relayscope.collector.cli.options import CommandFailed
from relayscope.collector.query.errors import ReadingError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def failures() -> Iterator[None]:
    """Turn a `ReadingError` into the end of the command."""
    try:
        yield
    except ReadingError as error:
        raise CommandFailed(str(error)) from None
