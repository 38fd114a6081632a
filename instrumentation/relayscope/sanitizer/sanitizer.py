"""A first cut: sensitive keys at any depth, inside JSON text too."""

import json
import re
from collections import Counter
from typing import Final, TypeAlias

Value: TypeAlias = str | bool | int | float | bytes | list["Value"] | dict[str, "Value"] | None

FAILED: Final = "[DROPPED:sanitizer-error]"

_SENSITIVE = re.compile(
    r"pass_?(?:word|wd|phrase)|secret(?!ar)|token(?!s|i)|api_?key|authorization|cookie|credential"
    r"|(?:private|access)_?key"
)
_HARMLESS = re.compile(r"progress_?token|(?:next|page)_?token")


class Sanitizer:
    """Takes secrets out of telemetry. Built once, safe to share between threads."""

    def __init__(self) -> None:
        self._hits: Counter[str] = Counter()

    @classmethod
    def default(cls) -> "Sanitizer":
        """A sanitizer with the default rules."""
        return cls()

    def text(self, text: str) -> str:
        """A name, a body or a status message, with JSON text inside it."""
        try:
            return self._text(text)
        except Exception:  # noqa: BLE001 - fails closed: whatever went wrong, the value is dropped.
            self._hits["sanitizer-error"] += 1
            return FAILED

    def attributes(self, attributes: dict[str, Value]) -> dict[str, Value]:
        """Keys and values, at any depth."""
        return {key: self._member(key, value) for key, value in attributes.items()}

    def value(self, value: Value) -> Value:
        """A body of any kind."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return self.attributes(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        return value

    def hits(self) -> dict[str, int]:
        """How often each rule hit since the start."""
        return dict(self._hits)

    def _text(self, text: str) -> str:
        text = text.replace("\0", "\N{SYMBOL FOR NULL}")
        text = text.encode("utf-8", "replace").decode()
        if text[:1] not in {"{", "["} or not _SENSITIVE.search(text.lower()):
            return text
        before = self._hits.total()
        parsed = self.value(json.loads(text))
        return json.dumps(parsed) if self._hits.total() > before else text

    def _member(self, key: str, value: Value) -> Value:
        name = re.sub(r"[^a-z0-9]+", "_", key.lower())
        if _SENSITIVE.search(_HARMLESS.sub("", name)):
            self._hits["sensitive-key"] += 1
            return "[REDACTED:sensitive-key]"
        return self.value(value)
