"""The page's address, told by `relayscope serve` to the commands that run beside it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from relayscope import storage
from relayscope.collector.errors import StartError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from relayscope.collector.config.settings import Settings

_NAME: Final = "page"
_LONGEST: Final = 1000
_TRIES: Final = 20
_ANYWHERE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # what these stand for here


def url_of(settings: Settings) -> str:
    """Return what to open in a browser on this machine; empty without a page."""
    if settings.page is None:
        return ""
    scheme = "http" if settings.tls_certificate is None else "https"
    host = _ANYWHERE.get(settings.page.host, settings.page.host)
    return f"{scheme}://{settings.page._replace(host=host)}"


@contextmanager
def told(settings: Settings) -> Iterator[None]:
    """Let others know where the page is, as long as this is open.

    It is in a file that is locked meanwhile, so that the word of one that was killed is not taken.
    Where another collector that stores there has told of its own, that stays.

    Raises:
        StartError: The data folder cannot be used.
    """
    path = _path(settings)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StartError(f"{path}: {error.strerror}") from None
    try:
        if _is_taken(descriptor):
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"{url_of(settings)}\n{_database(settings)}".encode())
        yield
    finally:
        os.close(descriptor)


def page_url(settings: Settings) -> str:
    """Return where the page is of what is stored there; empty without one."""
    try:
        with _path(settings).open("rb") as file:
            try:
                fcntl.flock(file.fileno(), fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                url, _, database = file.read(_LONGEST).decode().partition("\n")
                is_one = urlsplit(url).scheme in ("http", "https") and url.isprintable()
                return url if is_one and database == _database(settings) else ""
    except (OSError, ValueError):
        pass
    return ""


def _path(settings: Settings) -> Path:
    """Choose the file: one for each database, as several collectors may have one data folder."""
    database = _database(settings)
    if not database:
        return settings.data_dir / _NAME
    digest = hashlib.blake2b(database.encode(), digest_size=6).hexdigest()
    return settings.data_dir / f"{_NAME}-{digest}"


def _database(settings: Settings) -> str:
    """Return where it is stored, whoever connects; empty for the embedded server."""
    if settings.database_url is None:
        return ""
    return storage.place_of(settings.database_url.get_secret_value())


def _is_taken(descriptor: int) -> bool:
    """Lock the file; who reads it holds it for a moment."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01)
        else:
            return True
    return False
