"""Server-sent events, read as they pass (WHATWG HTML, section 9.2, "Parsing an event stream")."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Final

_LONGEST_EVENT: Final = 16 * 1024 * 1024
"""Bytes of one event that are kept; a peer may send a line without an end."""


class EventStream:
    """Takes a body in chunks and gives the data of each event that is complete."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[str] = []

    @property
    def is_between_events(self) -> bool:
        """Whether no event has begun that has not ended."""
        return not self._rest and not self._data

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Take the next chunk; yield the data of every event that ends in it."""
        if len(self._rest) < _LONGEST_EVENT:
            self._rest += chunk
        if b"\n" not in chunk:
            return
        *lines, rest = bytes(self._rest).replace(b"\r\n", b"\n").split(b"\n")
        self._rest = bytearray(rest)
        for line in lines:
            if not line:
                if self._data:
                    yield "\n".join(self._data)
                self._data = []
            elif line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" ").decode("utf-8", "backslashreplace"))


def changed(chunk: bytes, change: Callable[[bytes], bytes | None]) -> bytes | None:
    """Return a chunk of whole events with each event's data changed.

    Args:
        chunk: What is about to be sent, from the beginning of an event.
        change: From an event's data to what stands in its place, None if it is none of ours.

    Returns:
        None if the chunk has other things in it than whole events with their data on one line;
        then nothing has been changed.
    """
    lines = chunk.split(b"\n")
    data = [number for number, line in enumerate(lines) if line.startswith(b"data:")]
    if not chunk.endswith((b"\n\n", b"\r\n\r\n")) or any(b - a < 2 for a, b in pairwise(data)):  # noqa: PLR2004
        return None
    for number in data:
        line = lines[number]
        start = line[: 6 if line[5:6] == b" " else 5]
        end = b"\r" if line.endswith(b"\r") else b""
        replaced = change(line[len(start) : len(line) - len(end)])
        if replaced is not None:
            lines[number] = start + replaced + end
    return b"\n".join(lines)
