"""Keeps compiled searches in the user's cache folder: compiling takes 0.6 s, reading 4 ms.

A file there is read as a program would be, so it must be ours: in a folder and with an owner and a
mode that let nobody else write. hyperscan checks that it is whole and made for this processor.
Whatever is wrong with it, the search is compiled.
"""

import hashlib
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path

_LARGEST: Final = 16 * 1024 * 1024
"""Bytes of a file that is read. The default rules' searches take 1."""

_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


class CompiledSearch:
    """The place of one compiled search, named by what it was compiled from.

    Args:
        sources: everything that makes a difference to what is compiled.
    """

    def __init__(self, *sources: str) -> None:
        digest = hashlib.sha256("\0".join(sources).encode("utf-8", "surrogatepass")).hexdigest()
        self._name = f"search-{digest[:32]}"

    def load(self) -> bytes | None:
        """The compiled search, or None if there is none that can be trusted."""
        if sys.platform == "win32":  # Where owner and mode say nothing, nothing is kept.
            return None
        with suppress(OSError, RuntimeError):
            folder = _folder()
            if not _is_ours(folder.lstat()) or not stat.S_ISDIR(folder.lstat().st_mode):
                return None
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            file = os.open(folder / self._name, flags)
            with os.fdopen(file, "rb") as opened:
                status = os.fstat(file)
                if stat.S_ISREG(status.st_mode) and _is_ours(status) and status.st_size < _LARGEST:
                    return opened.read(_LARGEST)
        return None

    def store(self, compiled: bytes) -> None:
        """Keep a compiled search for the next process, if there is where."""
        if sys.platform == "win32":
            return
        with suppress(OSError, RuntimeError):
            folder = _folder()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours(folder.lstat()):
                return
            temporary = folder / f"{self._name}.{os.getpid()}"
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            with os.fdopen(os.open(temporary, flags, 0o600), "wb") as file:
                file.write(compiled)
            temporary.replace(folder / self._name)


def _folder() -> Path:
    return user_cache_path("relayscope", appauthor=False)


def _is_ours(status: os.stat_result) -> bool:
    if sys.platform == "win32":
        return False
    return status.st_uid == os.geteuid() and not status.st_mode & _OTHERS_WRITE
