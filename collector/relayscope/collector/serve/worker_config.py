"""Configuration of worker processes, which their parent writes to their stdin."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any, NamedTuple

from relayscope.collector.errors import StartError

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings
    from relayscope.sanitizer import Rules


class WorkerConfig(NamedTuple):
    """Configuration of a receiver, the same for all workers.

    Attributes:
        settings: with the real ports of both listeners.
        rules: with one hash key for all: the same secret gets the same tag, whoever receives it.
        database_url: of a migrated database.
    """

    settings: Settings
    rules: Rules
    database_url: str


class PageConfig(NamedTuple):
    """Configuration of the page's process.

    Attributes:
        settings: With the real ports of all listeners.
        database_urls: URLs to read from, the best first: that of a user who may only read, if there
            is one.
    """

    settings: Settings
    database_urls: tuple[str, ...]


def pack(config: object) -> bytes:
    """Return what is written to the process's stdin, which then stays open."""
    packed = pickle.dumps(config)
    return len(packed).to_bytes(8) + packed


def unpack(descriptor: int) -> Any:
    """Read what `pack` has made.

    Raises:
        StartError: That was done by another version.
    """
    with open(descriptor, "rb", buffering=0, closefd=False) as stdin:
        length = int.from_bytes(stdin.read(8))
        packed = b""
        while len(packed) < length:
            packed += stdin.read(length - len(packed))
    try:
        return pickle.loads(packed)  # noqa: S301  # from the parent, through a pipe
    except Exception as error:
        raise StartError(
            "relayscope was updated while `relayscope serve` ran: end it and start it again"
            f" ({error})"
        ) from error
