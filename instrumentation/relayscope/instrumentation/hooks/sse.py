"""Server-sent events, read as they pass (WHATWG HTML, section 9.2, "Parsing an event stream")."""

from collections.abc import Iterator
from typing import Final

_LONGEST_EVENT: Final = 16 * 1024 * 1024
"""Bytes of one event that are kept; a peer may send a line without an end."""


class EventStream:
    """Takes a body in chunks and gives the data of each event that is complete."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[str]:
        """Take the next chunk; yield the data of every event that ends in it."""
        *lines, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(b"\n")
        self._rest = self._rest[:_LONGEST_EVENT]
        for line in lines:
            if not line:
                if self._data:
                    yield "\n".join(self._data)
                self._data = []
            elif line.startswith(b"data:"):
                self._data.append(line[5:].removeprefix(b" ").decode("utf-8", "backslashreplace"))
