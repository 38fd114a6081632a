"""Standard output: a terminal, or a pipe or file."""

from __future__ import annotations

import io
import select
import sys
from typing import TYPE_CHECKING

from rich.console import Console

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.text import Text


def stdout_console() -> Console:
    """A console that prints what it is given: no markup, no emoji codes, no highlighting.

    Its width is that of the terminal. In a pipe it has no colours (but `FORCE_COLOR` and `NO_COLOR`
    are heeded), and whoever prints decides about the length of lines.
    """
    _never_fail_to_encode()
    return _Console(markup=False, emoji=False, highlight=False, soft_wrap=True)


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Leave it to the command line; rich would end with exit code 1."""
        raise BrokenPipeError


def print_lines(console: Console, lines: Iterable[Text]) -> None:
    """Print lines as they come."""
    for line in lines:
        console.print(line)


def write_lines(lines: Iterable[str], end: str = "\n") -> None:
    """Write lines for programs: UTF-8 whatever the locale, line ends as given."""
    _never_fail_to_encode("utf-8")
    for line in lines:
        sys.stdout.write(line)
        sys.stdout.write(end)


def is_read(descriptor: int) -> bool:
    """Return whether anybody reads the other end of a pipe; true for files and terminals."""
    polled = select.poll()
    polled.register(descriptor, 0)
    return not any(events & select.POLLERR for _, events in polled.poll(0))


def _never_fail_to_encode(encoding: str | None = None) -> None:
    """Show characters that a locale does not have as escapes, not as a traceback."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding=encoding, errors="backslashreplace", newline="")
