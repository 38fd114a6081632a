"""Server-sent events, read as they pass (WHATWG HTML, section 9.2, "Parsing an event stream")."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

from relayscope.instrumentation.traffic.long_text import MOST_KEPT, Gathering, LongText, pieces
from relayscope.instrumentation.traffic.message import is_whole

_DATA: Final = b"data:"
_OPENING: Final = (b"{", b"[")
_ENOUGH: Final = len(_DATA) + 1
"""Bytes of a line that tell whether its field is the data, and where the data begins."""


class EventStream:
    """Takes a body in chunks and gives the data of each event that is complete."""

    def __init__(self) -> None:
        self._line = b""
        """The part of a line that has come, until it is clear which field it is."""
        self._is_data: bool | None = None
        """True if the line's field is `data`; None until that is known."""
        self._return = b""
        """A carriage return, which may belong to the line's end."""
        self._data = Gathering()
        self._data_lines = 0
        self._is_after_data = False
        """True where the first line of an event's data has ended, and nothing has followed."""

    @property
    def is_between_events(self) -> bool:
        """True where every event that has begun has ended."""
        return not self._line and self._is_data is None and not self._data_lines

    def feed(self, chunk: bytes) -> Iterator[bytes | LongText]:
        """Take the next chunk; yield the data of every event that ends in it.

        A host that reads line by line acts on the data before it reads the event's empty last line.
        So an event ends for us with its first line of data, if that is JSON and all there is.
        """
        for piece in pieces(chunk):
            *ends, rest = piece.split(b"\n")
            for end in ends:
                self._take(end)
                if self._line_ended():
                    data, self._data_lines = self._data.take(), 0
                    if isinstance(data, LongText) or data.strip():
                        yield data
            self._take(rest)
        if self._is_after_data and not self._line and self._is_data is None:
            self._is_after_data = False
            data = self._data.take()
            if isinstance(data, bytes):
                if data[:1] in _OPENING and is_whole(data):
                    yield data
                else:
                    self._data.add(data)

    def _take(self, part: bytes) -> None:
        """Take a part of a line."""
        if self._is_data is None:
            part = self._line + part
            self._line = part[:_ENOUGH]
            if len(part) < _ENOUGH:
                return
            part = self._begin(part)
        if self._is_data and part:
            part = self._return + part
            self._return = b"\r" if part.endswith(b"\r") else b""
            self._data.add(part.removesuffix(b"\r"))

    def _begin(self, line: bytes) -> bytes:
        """Find out which field a line is, and return what has come of its value."""
        self._line, self._is_data = b"", line.startswith(_DATA)
        if self._is_data:
            if self._data_lines:
                self._data.add(b"\n")
            self._data_lines += 1
        return line.removeprefix(_DATA).removeprefix(b" ")

    def _line_ended(self) -> bool:
        """Take the end of a line; return whether the line is empty, which ends an event."""
        is_empty = self._is_data is None and not self._line.removesuffix(b"\r")
        if self._is_data is None and not is_empty:
            self._begin(self._line)
        is_short = len(self._data) <= MOST_KEPT
        self._is_after_data = bool(self._is_data) and self._data_lines == 1 and is_short
        self._line, self._is_data, self._return = b"", None, b""
        return is_empty


def changed(chunk: bytes, change: Callable[[bytes], bytes | None]) -> bytes | None:
    """Return a chunk of whole events with each event's data changed.

    Args:
        chunk: The bytes to be sent, from the beginning of an event.
        change: From an event's data to what stands in its place, None if it is none of ours.

    Returns:
        None if the chunk has other things in it than whole events with their data on one line, or
        is too large to be copied; then nothing has been changed.
    """
    if len(chunk) > MOST_KEPT:
        return None
    lines = chunk.split(b"\n")
    data = [number for number, line in enumerate(lines) if line.startswith(b"data:")]
    if not chunk.endswith((b"\n\n", b"\r\n\r\n")) or any(b == a + 1 for a, b in pairwise(data)):
        return None
    for number in data:
        line = lines[number]
        start = line[: 6 if line[5:6] == b" " else 5]
        end = b"\r" if line.endswith(b"\r") else b""
        replaced = change(line[len(start) : len(line) - len(end)])
        if replaced is not None:
            lines[number] = start + replaced + end
    return b"\n".join(lines)
