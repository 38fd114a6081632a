"""A file over a pipe that is read, watched."""

from collections.abc import Sequence
from operator import index
from typing import Any, Final, Self

from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.runtime.shield import shielded

from .lines import IncomingLines
from .watched_pipe import WatchedPipe, WhereThere

_PIECE: Final = 1024 * 1024
"""Characters that are encoded at a time."""


class WatchedReader(WatchedPipe):
    """A file that is read, and tells of every line. Text files are told of as UTF-8."""

    def __init__(self, file: Any, lines: IncomingLines) -> None:
        super().__init__(file)
        self._self_lines = lines

    def __iter__(self) -> Self:
        iter(self.__wrapped__)
        return self

    def __next__(self) -> Any:
        try:
            line = next(self.__wrapped__)
        except StopIteration:
            self._tell((), is_all=True)
            raise
        self._tell((line,), is_all=not _has_end(line))
        return line

    def readline(self, *args: Any) -> Any:
        """Read a line."""
        line = self.__wrapped__.readline(*args)
        self._tell((line,), is_all=_is_unbounded(args) and not _has_end(line))
        return line

    def readlines(self, *args: Any) -> Any:
        """Read lines until there are no more, or as many as asked."""
        lines = self.__wrapped__.readlines(*args)
        self._tell(lines, is_all=not lines or _is_unbounded(args))
        return lines

    def read(self, *args: Any) -> Any:
        """Read this much."""
        data = self.__wrapped__.read(*args)
        self._tell((data,), is_all=_is_unbounded(args) or (not data and _asks(args)))
        return data

    @WhereThere
    def readall(self) -> Any:
        """Read to the end."""
        data = self.__wrapped__.readall()
        self._tell((data,), is_all=True)
        return data

    @WhereThere
    def read1(self, *args: Any) -> Any:
        """Read the bytes that are there."""
        data = self.__wrapped__.read1(*args)
        self._tell((data,), is_all=not data and _asks(args))
        return data

    @WhereThere
    def readinto(self, buffer: Any) -> Any:
        """Read into a buffer."""
        size = self.__wrapped__.readinto(buffer)
        self._tell_of(buffer, size)
        return size

    @WhereThere
    def readinto1(self, buffer: Any) -> Any:
        """Read the bytes that are there into a buffer."""
        size = self.__wrapped__.readinto1(buffer)
        self._tell_of(buffer, size)
        return size

    def __exit__(self, *exc_info: object) -> Any:
        self._self_lines.closed()
        return self.__wrapped__.__exit__(*exc_info)

    def close(self) -> None:
        """Close the file."""
        self._self_lines.closed()
        self.__wrapped__.close()

    def take(self, data: str | bytes) -> None:
        """Say what was read in another way, to the end."""
        self._tell((data,), is_all=True)

    def _watching(self, under: Any) -> "WatchedReader":
        return WatchedReader(under, self._self_lines)

    @shielded
    def _tell_of(self, buffer: Any, size: int | None) -> None:
        view = memoryview(buffer)
        if size:
            self._tell((view.cast("B")[:size],), is_all=False)
        elif size is not None:
            self._tell((), is_all=view.nbytes > 0)

    @shielded
    def _tell(self, data: Sequence[Any], *, is_all: bool) -> None:
        """Tell of what was read.

        Args:
            data: The pieces that were read; None comes from a file that does not wait.
            is_all: True if nothing more will come, if reading this file waits for more.
        """
        if connection_owner.is_held():
            return
        lines = self._self_lines
        for piece in data:
            if isinstance(piece, str):
                for start in range(0, len(piece), _PIECE):
                    lines.feed(_encoded(piece[start : start + _PIECE]))
            elif piece:
                lines.feed(piece)
        if is_all and None not in data and self._waits():
            lines.ended()
        lines.read(lines.arrived)


def _encoded(text: str) -> bytes:
    """Return the bytes that were read as this text."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def _is_unbounded(args: Sequence[Any]) -> bool:
    """Return whether these arguments of a reading method ask for all that there is."""
    return not args or args[0] is None or index(args[0]) < 0


def _asks(args: Sequence[Any]) -> bool:
    """Return whether these arguments of a reading method ask for anything."""
    return not args or args[0] != 0


def _has_end(line: Any) -> bool:
    return bool(line) and line.endswith(("\n", "\r") if isinstance(line, str) else (b"\n", b"\r"))
