"""The log records of levels: a trace's reader sees why texts are in it, or are missing."""

from time import time_ns

from opentelemetry._logs import Logger, LogRecord, SeverityNumber

from relayscope.conventions.attributes import LEVEL_BEFORE, LEVEL_BY, LEVEL_NOW, LEVEL_RULES
from relayscope.conventions.events import EVENT_LEVEL_CHANGED, EVENT_LEVEL_REFUSED
from relayscope.instrumentation.context.current_span import NOWHERE
from relayscope.instrumentation.traffic.levels import Levels
from relayscope.sanitizer import Sanitizer, Value

from .rules import RemoteRules


class LevelLog:
    """Makes them, whatever the level is."""

    def __init__(self, logger: Logger, sanitizer: Sanitizer) -> None:
        self._logger = logger
        self._sanitizer = sanitizer

    def changed(self, before: Levels, now: Levels, rules: RemoteRules) -> None:
        """Say that other levels hold from now on."""
        told = tuple(str(rule) for rule in rules.rules)
        attributes: dict[str, Value] = {
            LEVEL_BEFORE: before.level.name,
            LEVEL_NOW: now.level.name,
            LEVEL_RULES: [*told],
            LEVEL_BY: [*sorted({rule.by for rule in rules.rules if rule.by})],
        }
        text = f"level: {before.level.name} -> {now.level.name}"
        if told:
            text += f"; rules from outside: {', '.join(told)}"
        self._emit(EVENT_LEVEL_CHANGED, SeverityNumber.INFO, text, attributes)

    def refused(self, error: str) -> None:
        """Say that rules could not be taken."""
        text = f"levels from outside are refused, and nothing changes: {error}"
        self._emit(EVENT_LEVEL_REFUSED, SeverityNumber.WARN, text, {})

    def _emit(
        self, event_name: str, severity: SeverityNumber, text: str, attributes: dict[str, Value]
    ) -> None:
        clean_attributes, clean_text = self._sanitizer.record(attributes, text)
        self._logger.emit(
            LogRecord(
                timestamp=time_ns(),
                context=NOWHERE,
                severity_number=severity,
                severity_text=severity.name,
                event_name=event_name,
                body=clean_text,
                attributes=clean_attributes,
            )
        )
