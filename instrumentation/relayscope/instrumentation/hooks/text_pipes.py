"""Files over pipes, watched: `sys.stdin`, `sys.stdout`, and the pipes of `subprocess.Popen`.

Text files and the binary files under them. A proxy stands in for the file, because `for line in
file` asks the file's type for its methods, not the file.
"""

from collections.abc import Iterable
from typing import Any, Final, Self

import wrapt

from relayscope.instrumentation.hooks import claim
from relayscope.instrumentation.hooks.lines import IncomingLines, OutgoingLines
from relayscope.instrumentation.long_text import MOST_KEPT
from relayscope.instrumentation.shield import shielded

_PIECE: Final = 1024 * 1024
"""Characters that are encoded at a time."""

_TO_THE_END: Final = (None, -1)
"""How much is read when all is."""


class WatchedReader(wrapt.ObjectProxy[Any]):
    """A file that is read, and tells of every line. Text files are told of as UTF-8."""

    def __init__(self, file: Any, lines: IncomingLines) -> None:
        super().__init__(file)
        self._self_lines = lines
        self._self_buffer: Any = None

    @property
    def buffer(self) -> Any:
        """The binary file under a text file, watched too."""
        if claim.is_held():
            return self.__wrapped__.buffer
        if self._self_buffer is None:
            self._self_buffer = WatchedReader(self.__wrapped__.buffer, self._self_lines)
        return self._self_buffer

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        line = self.__wrapped__.readline()
        self._told(line)
        if not line:
            raise StopIteration
        return line

    def readline(self, *args: Any) -> Any:
        """Read a line."""
        return self._told(self.__wrapped__.readline(*args))

    def readlines(self, *args: Any) -> Any:
        """Read all lines."""
        lines = self.__wrapped__.readlines(*args)
        for line in lines:
            self._told(line)
        if not args:
            self._self_lines.closed()
        return lines

    def read(self, *args: Any) -> Any:
        """Read this much."""
        data = self._told(self.__wrapped__.read(*args), asked=args[0] if args else None)
        if data and (not args or args[0] in _TO_THE_END):
            self._self_lines.closed()
        return data

    def read1(self, *args: Any) -> Any:
        """Read what is there."""
        return self._told(self.__wrapped__.read1(*args), asked=args[0] if args else None)

    def readinto(self, buffer: Any) -> Any:
        """Read into a buffer."""
        size = self.__wrapped__.readinto(buffer)
        self._told(memoryview(buffer).cast("B")[: size or 0])
        return size

    def __enter__(self) -> Self:
        self.__wrapped__.__enter__()
        return self

    def close(self) -> None:
        """Close the file."""
        self._self_lines.closed()
        self.__wrapped__.close()

    @shielded
    def take(self, data: str | bytes) -> None:
        """Say what was read in another way, to the end."""
        self._tell(data, None)
        self._self_lines.closed()

    def _told(self, data: Any, asked: int | None = None) -> Any:
        self._tell(data, asked)
        return data

    @shielded
    def _tell(self, data: Any, asked: int | None) -> None:
        if data:
            lines = self._self_lines
            if isinstance(data, str):
                for start in range(0, len(data), _PIECE):
                    lines.feed(data[start : start + _PIECE].encode("utf-8", "surrogateescape"))
            else:
                lines.feed(data)
            lines.read(lines.arrived)
        elif data is not None and asked != 0:
            self._self_lines.closed()


class WatchedWriter(wrapt.ObjectProxy[Any]):
    """A file that is written, and tells of every line."""

    def __init__(self, file: Any, lines: OutgoingLines, of_buffer: OutgoingLines) -> None:
        super().__init__(file)
        self._self_lines = lines
        self._self_of_buffer = of_buffer
        self._self_buffer: Any = None

    @property
    def buffer(self) -> Any:
        """The binary file under a text file, watched too."""
        if claim.is_held():
            return self.__wrapped__.buffer
        if self._self_buffer is None:
            of_buffer = self._self_of_buffer
            self._self_buffer = WatchedWriter(self.__wrapped__.buffer, of_buffer, of_buffer)
        return self._self_buffer

    def write(self, data: Any) -> Any:
        """Write text, or bytes; return how much of what was given, all of it, has been written."""
        if isinstance(data, str):
            self._self_lines.write(self.__wrapped__.write, data)
        else:
            data = memoryview(data).cast("B") if len(data) > MOST_KEPT else bytes(data)
            self._self_lines.write(self._write_all, data)
        return len(data)

    def _write_all(self, data: bytes | memoryview) -> None:
        """Write to a file that may take less than it is given, as unbuffered ones do.

        The host could not go on where such a write ended: it does not know what was put in.
        """
        rest = memoryview(data)
        while rest:
            rest = rest[self.__wrapped__.write(rest) or 0 :]

    @shielded
    def changed(self, data: Any) -> Any:
        """Return what to write in another way in place of `data`, which is recorded as written."""
        written: list[Any] = []
        self._self_lines.write(written.append, data)
        return written[0]

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write each of them."""
        for line in lines:
            self.write(line)

    def __enter__(self) -> Self:
        self.__wrapped__.__enter__()
        return self
