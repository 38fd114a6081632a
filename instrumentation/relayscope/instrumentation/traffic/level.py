"""Capture levels.

In Python 3.11, to look up a member of an enumeration, such as `Level.OFF`, takes 0.3 us, and each
message needs twenty of them. A module that runs for each message looks up once what it needs,
which took 2 of 10 us off a message that is looked at and not recorded.
"""

from enum import IntEnum


class Level(IntEnum):
    """Capture levels; the values are OpenTelemetry severity numbers."""

    TRACE = 1
    """Every message with its full (sanitized) text."""
    DEBUG = 5
    """Every message without its text: kind, method, id, size and digest."""
    INFO = 9
    """Calls as spans; of the messages, only odd ones."""
    WARN = 13
    """Only what went wrong: odd messages, and calls that failed as spans."""
    WARNING = WARN  # what Python's logging calls it
    ERROR = 17
    """Only calls that failed, as spans."""
    OFF = 25
    """Nothing: messages are not even looked at, and carry no context."""

    @classmethod
    def named(cls, name: str) -> "Level":
        """Return the level called `name`, in any case.

        Raises:
            ValueError: There is no such level; the message lists those there are.
        """
        try:
            return cls[name.strip().upper()]
        except KeyError:
            known = ", ".join(level.name for level in cls)
            raise ValueError(f"unknown level {name!r}: use one of {known}") from None
