"""What a receiver process is told by the one that starts it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from relayscope.collector.config.settings import Settings
    from relayscope.sanitizer import Rules


class Order(NamedTuple):
    """The same for all workers, and picklable.

    Attributes:
        settings: with the real ports of both listeners.
        rules: with one hash key for all: the same secret gets the same tag, whoever receives it.
        database_url: of a migrated database.
    """

    settings: Settings
    rules: Rules
    database_url: str
