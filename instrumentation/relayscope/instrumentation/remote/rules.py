"""Rules that came from outside, each for as long as it holds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Self

from relayscope.instrumentation.traffic.level import Level
from relayscope.instrumentation.traffic.levels import Direction, Levels, Rule

VERSION: Final = 1
MOST: Final = 32
_LONGEST: Final = 256
_PATTERNS: Final = ("peer", "method", "target")
_KNOWN: Final = {"id", "level", "by", "until", "direction", "host_logs", *_PATTERNS}


@dataclass(frozen=True, slots=True)
class RemoteRule:
    """A level for all messages of this process, for some of them, or for the host's own records.

    Attributes:
        messages: The messages that it is about, and their level.
        about_all: True if it is about every message: then it counts after those about some.
        about_logs: True if it is about the host's own log records, and about no message.
        until: On the clock that this process goes by; None for ever.
        by: Name of the one who asked for it.
    """

    messages: Rule
    about_all: bool
    about_logs: bool
    until: float | None
    by: str

    @classmethod
    def read(cls, data: Any, shift: float) -> Self:
        """Return the rule that a member of the list describes.

        Raises:
            ValueError: It describes none.
        """
        if not isinstance(data, Mapping):
            raise ValueError("a rule has names and values")  # noqa: TRY004  # a mistake in a file
        # What is not known may select messages: without it the rule would be about others, too.
        unknown = {str(name) for name in data} - _KNOWN
        if unknown:
            raise ValueError(f"unknown name {min(unknown)[:_LONGEST]!r}: update relayscope here")
        level = Level.named(_text(data.get("level"), "level"))
        patterns = {name: _text(data[name], name) for name in _PATTERNS if name in data}
        direction = data.get("direction")
        if direction not in (None, *Direction):
            raise ValueError("direction is sent or received")
        about_logs = data.get("host_logs", False)
        if not isinstance(about_logs, bool):
            raise ValueError("host_logs is true or false")  # noqa: TRY004  # a mistake in a file
        messages = Rule(
            level, direction=None if direction is None else Direction(direction), **patterns
        )
        until = data.get("until")
        return cls(
            messages,
            messages == Rule(level) and not about_logs,
            about_logs,
            None if until is None else _number(until, "until") + shift,
            _text(data.get("by", ""), "by"),
        )

    def __str__(self) -> str:
        rule = self.messages
        selectors = [
            f"{name}={found}" for name in _PATTERNS if (found := getattr(rule, name)) != "*"
        ]
        if rule.direction is not None:
            selectors.append(f"direction={rule.direction}")
        if self.about_logs:
            selectors.append("host_logs")
        return " ".join((rule.level.name, *selectors))


@dataclass(frozen=True, slots=True)
class RemoteRules:
    """All rules that this process has been given; of two about the same, the first counts."""

    rules: tuple[RemoteRule, ...] = ()

    @classmethod
    def read(cls, content: Any, shift: float) -> Self:
        """Return the rules that are in the content of a configuration.

        Args:
            content: As JSON has it.
            shift: Seconds to add to its times, to have them on this process's clock.

        Raises:
            ValueError: Something in it is not as it should be; the message says what.
        """
        if not isinstance(content, Mapping) or content.get("version") != VERSION:
            raise ValueError(f"it is not of version {VERSION}: update relayscope here")
        rules = content.get("rules")
        if not isinstance(rules, Sequence) or isinstance(rules, str) or len(rules) > MOST:
            raise ValueError(f"a list of up to {MOST} rules is expected")
        found = []
        for number, rule in enumerate(rules, 1):
            try:
                found.append(RemoteRule.read(rule, shift))
            except ValueError as error:
                raise ValueError(f"rule {number}: {error}") from None
        return cls(tuple(found))

    def at(self, now: float) -> "RemoteRules":
        """Return those that hold at a time."""
        return RemoteRules(
            tuple(rule for rule in self.rules if rule.until is None or rule.until > now)
        )

    @property
    def next_end(self) -> float:
        """The time at which the next of them ends."""
        return min((rule.until for rule in self.rules if rule.until is not None), default=math.inf)

    def over(self, own: Levels) -> Levels:
        """Return a process's levels with these rules over its own."""
        levels = [rule.messages.level for rule in self.rules if rule.about_all]
        logs = [rule.messages.level for rule in self.rules if rule.about_logs]
        narrower = [
            rule.messages for rule in self.rules if not rule.about_all and not rule.about_logs
        ]
        return replace(
            own,
            level=levels[0] if levels else own.level,
            rules=(*narrower, *own.rules),
            host_logs=logs[0] if logs else own.host_logs,
        )


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        raise ValueError(f"{name} is a text of up to {_LONGEST} characters")
    return value


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name} is a number")
    return float(value)
