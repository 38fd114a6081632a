"""The levels of this process, and the rules that choose one for a message."""

from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

from .level import Level

_ANY: Final = "*"


class Direction(StrEnum):
    """The direction in which a message crossed, seen from this process."""

    SENT = "sent"
    RECEIVED = "received"

    # Enum's own is written in Python, and each message is looked up by its direction.
    __hash__ = str.__hash__


@dataclass(frozen=True, slots=True)
class Rule:
    """A level for some of the messages. Patterns are those of a shell: `*`, `?`, `[...]`.

    Attributes:
        peer: The other end: `127.0.0.1:9060`, `stdio`, `python server.py`.
        method: Of the request; an answer has that of its request.
        target: The tool's or prompt's name.
        direction: Both where it is None.
    """

    level: Level
    peer: str = _ANY
    method: str = _ANY
    target: str = _ANY
    direction: Direction | None = None

    @property
    def needs_message(self) -> bool:
        """True if a message must be read to know whether the rule is about it."""
        return (self.method, self.target) != (_ANY, _ANY)

    def is_about(self, peer: str, direction: Direction) -> bool:
        """Return whether the rule may be about messages of a channel in a direction."""
        return self.direction in (None, direction) and fnmatchcase(peer, self.peer)


@dataclass(frozen=True, slots=True)
class Levels:
    """The level of a process, and narrower rules; the first rule that fits holds.

    Attributes:
        level: The level of messages that no rule fits.
        uninjected: Patterns of peers whose messages never get trace context.
        host_logs: Level of the host's own log records; that of messages where it is None.
    """

    level: Level = Level.TRACE
    rules: tuple[Rule, ...] = ()
    uninjected: tuple[str, ...] = ()
    host_logs: Level | None = None

    @property
    def of_host_logs(self) -> Level:
        """The level of the host's own log records."""
        return self.level if self.host_logs is None else self.host_logs

    def of_channel(self, peer: str, direction: Direction) -> Level | None:
        """Return the level of all messages to or from a peer, None if each has to be looked at."""
        for rule in self.rules:
            if rule.is_about(peer, direction):
                return None if rule.needs_message else rule.level
        return self.level

    def of_message(self, peer: str, direction: Direction, method: str, target: str) -> Level:
        """Return the level of one message."""
        for rule in self.rules:
            if (
                rule.is_about(peer, direction)
                and fnmatchcase(method, rule.method)
                and fnmatchcase(target, rule.target)
            ):
                return rule.level
        return self.level

    def of_events(self, peer: str) -> Level:
        """Return the level of what happens to a channel itself: the finer of its directions."""
        return min(self.of_message(peer, direction, "", "") for direction in Direction)

    def injects(self, peer: str) -> bool:
        """Return whether messages to a peer may be given trace context."""
        return not self.uninjected or not any(
            fnmatchcase(peer, pattern) for pattern in self.uninjected
        )
