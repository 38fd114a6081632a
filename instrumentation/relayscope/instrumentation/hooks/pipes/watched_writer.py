"""A file over a pipe that is written, watched."""

import io
from collections.abc import Iterable
from typing import Any, Final

from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.traffic.long_text import MOST_KEPT

from .lines import OutgoingLines
from .watched_pipe import WatchedPipe

_BINARY: Final = (io.BufferedIOBase, io.RawIOBase)


class WatchedWriter(WatchedPipe):
    """A text file that is written, and tells of every line."""

    def __init__(self, file: Any, lines: OutgoingLines, of_buffer: OutgoingLines) -> None:
        super().__init__(file)
        self._self_lines = lines
        self._self_of_buffer = of_buffer

    def write(self, data: Any) -> Any:
        """Write text; return how much of what was given has been written."""
        text = self._text(data)
        if text is None:
            return self.__wrapped__.write(data)
        written = self._self_lines.write(self.__wrapped__.write, text)
        return written if written is None else len(text)

    def writelines(self, lines: Iterable[Any]) -> None:
        """Write each of them."""
        # A closed file says so also where there is nothing to write.
        self.__wrapped__.writelines(())
        for line in lines:
            self.write(line)

    def __exit__(self, *exc_info: object) -> Any:
        result = self.__wrapped__.__exit__(*exc_info)
        self._self_lines.ended()
        return result

    def close(self) -> None:
        """Close the file."""
        self.__wrapped__.close()
        self._self_lines.ended()

    @shielded
    def changed(self, data: Any) -> Any:
        """Return what to write in another way in place of `data`, to the end.

        It is recorded as written.
        """
        text = self._text(data)
        if text is None:
            return data
        written: list[Any] = []
        self._self_lines.write(written.append, text)
        self._self_lines.ended()
        return written[0]

    def _text(self, data: Any) -> Any:
        """Return what a file of this kind takes, None if it is to take what it can of it."""
        return data if isinstance(data, str) and not connection_owner.is_held() else None

    def _watching(self, under: Any) -> "WatchedBinaryWriter":
        return WatchedBinaryWriter(under, self._self_of_buffer)


class WatchedBinaryWriter(WatchedWriter):
    """A binary file that is written, and tells of every line."""

    def __init__(self, file: Any, lines: OutgoingLines) -> None:
        super().__init__(file, lines, lines)

    def write(self, data: Any) -> Any:
        """Write bytes; return how many of those given have been written."""
        given = self._text(data)
        if given is None:
            return self.__wrapped__.write(data)
        if not self._waits():
            return self._write_some(given)
        self._self_lines.write(self._write_all, given)
        return len(given)

    def _write_all(self, data: bytes | memoryview) -> None:
        """Write to a file that may take less than it is given, as unbuffered ones do.

        The host could not go on where such a write ended: it does not know what was put in.
        """
        rest = memoryview(data)
        while rest:
            rest = rest[self.__wrapped__.write(rest) :]

    def _write_some(self, data: bytes | memoryview) -> Any:
        """Write, unchanged, as much as there is room for: the host will go on from there."""
        try:
            written = self.__wrapped__.write(data)
        except BlockingIOError as error:
            self._self_lines.passed(data[: error.characters_written])
            raise
        self._self_lines.passed(data[: written or 0])
        return written

    def _text(self, data: Any) -> Any:
        if connection_owner.is_held():
            return None
        if type(data) is bytes and 0 < len(data) <= MOST_KEPT:
            return data
        try:
            view = memoryview(data)
        except TypeError:
            return None
        if not view.c_contiguous or not view.nbytes:
            return None
        return view.cast("B") if view.nbytes > MOST_KEPT else view.tobytes()


def watched_writer(file: Any, text: OutgoingLines, binary: OutgoingLines) -> WatchedWriter:
    """Return the proxy of a file, which is a text file unless it is known as another."""
    if isinstance(file, _BINARY):
        return WatchedBinaryWriter(file, binary)
    return WatchedWriter(file, text, binary)
