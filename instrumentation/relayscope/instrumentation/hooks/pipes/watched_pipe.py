"""Files over pipes, watched: `sys.stdin`, `sys.stdout`, and the pipes of `subprocess.Popen`.

A proxy stands in for the file, because `for line in file` asks the file's type for its methods, not
the file. It does what the file does, errors included: hosts find out what a file is by trying.
"""

import os
from collections.abc import Callable
from types import MethodType
from typing import Any, Final, Self

from relayscope.instrumentation.hooks import connection_owner
from relayscope.instrumentation.runtime.object_proxy import ObjectProxy

_get_blocking: Final = getattr(os, "get_blocking", lambda _: True)
"""Windows has it from Python 3.12 on; before that, its pipes always wait here."""


class Missing(AttributeError, TypeError):
    """A method that does not exist: neither `hasattr` finds it, nor can `len` call it."""


class WhereThere:
    """A method that the proxy has if the file has one of that name."""

    def __init__(self, method: Callable[..., Any]) -> None:
        self._method = method

    def __get__(self, file: Any, _: type | None = None) -> Any:
        if file is None:
            return self
        name = self._method.__name__
        if not hasattr(file.__wrapped__, name):
            raise Missing(f"{file.__wrapped__.__class__.__name__!r} object has no {name!r}")
        return MethodType(self._method, file)


class WatchedPipe(ObjectProxy):
    """A file whose layers are watched as well: the bytes of a text file, the raw file of those."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self._self_under: Any = None

    @property
    def buffer(self) -> Any:
        """The binary file under a text file."""
        return self._under(self.__wrapped__.buffer)

    @property
    def raw(self) -> Any:
        """The unbuffered file under a buffered one."""
        return self._under(self.__wrapped__.raw)

    @WhereThere
    def detach(self) -> Any:
        """Take the file under this one away from it."""
        return self._under(self.__wrapped__.detach())

    @WhereThere
    def __len__(self) -> int:
        # A proxy has one, and who sends a file asks it first.
        return len(self.__wrapped__)

    def __enter__(self) -> Self:
        self.__wrapped__.__enter__()
        return self

    def _watching(self, under: Any) -> Any:
        """Return the proxy of the file under this one."""
        raise NotImplementedError

    def _under(self, file: Any) -> Any:
        if connection_owner.is_held():
            return file
        under = self._self_under
        if under is None or under.__wrapped__ is not file:
            under = self._self_under = self._watching(file)
        return under

    def _waits(self) -> bool:
        """Return whether reading and writing wait until something, or all, has passed."""
        try:
            return bool(_get_blocking(self.__wrapped__.fileno()))
        except (AttributeError, OSError, ValueError):
            return True
