"""A file of bytes that reports each read."""

from collections.abc import Callable, Iterator
from typing import Any

from relayscope.instrumentation.runtime.object_proxy import ObjectProxy


class WatchedFile(ObjectProxy):
    """Stands in for a buffered file, as which it can be used in every way.

    Args:
        file: The file that is read.
        heard: Called with the bytes of each read before the reader gets them; empty at the file's
            end. Must not raise.
        closed: Told when it is closed. Must not raise.
    """

    def __init__(
        self, file: Any, heard: Callable[[bytes], object], closed: Callable[[], object]
    ) -> None:
        super().__init__(file)
        self._self_heard = heard
        self._self_closed = closed

    def read(self, *args: Any) -> Any:
        """Read up to a number of bytes."""
        return self._self_told(self.__wrapped__.read(*args), args)

    def read1(self, *args: Any) -> Any:
        """Read what is there."""
        return self._self_told(self.__wrapped__.read1(*args), args)

    def readline(self, *args: Any) -> Any:
        """Read a line."""
        return self._self_told(self.__wrapped__.readline(*args), args)

    def readlines(self, *args: Any) -> Any:
        """Read lines."""
        lines = self.__wrapped__.readlines(*args)
        for line in lines:
            self._self_heard(line)
        return lines

    def readinto(self, buffer: Any) -> Any:
        """Read into a buffer."""
        return self._self_filled(buffer, self.__wrapped__.readinto(buffer))

    def readinto1(self, buffer: Any) -> Any:
        """Read into a buffer what is there."""
        return self._self_filled(buffer, self.__wrapped__.readinto1(buffer))

    def _self_told(self, data: bytes | None, args: tuple[Any, ...]) -> bytes | None:
        # Nothing is there yet, or nothing was asked for: that is no end.
        if data or (data is not None and (not args or args[0] != 0)):
            self._self_heard(data)
        return data

    def _self_filled(self, buffer: Any, count: int | None) -> int | None:
        if count is not None and (filled := memoryview(buffer)).nbytes:
            self._self_heard(bytes(filled.cast("B")[:count]))
        return count

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        line = self.readline()
        if not line:
            raise StopIteration
        return line

    def __enter__(self) -> Any:
        self.__wrapped__.__enter__()
        return self

    def __exit__(self, *details: object) -> Any:
        try:
            return self.__wrapped__.__exit__(*details)
        finally:
            self._self_closed()

    def detach(self) -> Any:
        """Give away what is below it, whose reads nobody hears."""
        try:
            return self.__wrapped__.detach()
        finally:
            self._self_closed()

    def close(self) -> Any:
        """Close it."""
        try:
            return self.__wrapped__.close()
        finally:
            self._self_closed()
