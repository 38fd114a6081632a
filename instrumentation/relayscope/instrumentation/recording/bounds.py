"""Bounds on what a host puts on its own records and spans, before secrets are looked for in it.

A message's text has the same bound (`message_log.py`). Searching takes the host's own time, and a
host may log as much as it likes: 1 MiB took 19.5 s before there was a bound.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from relayscope.conventions.attributes import ATTRIBUTES_CUT, BODY_SIZE
from relayscope.sanitizer import DEAR, NORMALIZED, Sanitizer, Value

from .body_limit import MARGIN

DEAR_LIMIT: Final = 16 * 1024
"""Characters kept of a text that takes long to be searched (`Sanitizer.is_dear`), where it cannot
be searched on another thread. Where each line is a secret, each of them takes 0.5 µs."""

LONGEST_NAME: Final = 4096
"""Characters of a name, or of a status's description."""

_ELEMENT: Final = 16
"""Weight of an element beside its text: the sanitizer goes to each."""

_DEEPEST: Final = 100
"""Below it, the sanitizer drops what there is without a look."""


class Bounds:
    """The amount that may still be taken.

    Attributes:
        exceeded: True if there was more than that.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._dense = DEAR_LIMIT + MARGIN
        self._microseconds = DEAR
        self._texts: list[str | bytes] = []
        self.exceeded = False

    def take_searchable(self, value: Any, sanitizer: Sanitizer) -> Any:
        """Return as much of a value as fits and can be searched on the host's thread."""
        left, exceeded = self._left, self.exceeded
        self._texts.clear()
        taken = self.take(value)
        if self._can_be_searched(sanitizer):
            return taken
        self._left, self.exceeded = min(left, self._dense), exceeded
        self._dense = self._microseconds = 0
        return self.take(value)

    def _can_be_searched(self, sanitizer: Sanitizer) -> bool:
        """Return whether the texts that were taken last are few enough, or are searched soon."""
        size = sum(map(len, self._texts))
        if size <= self._dense:
            self._dense -= size
            return True
        text = "\n".join(
            each if isinstance(each, str) else each.decode("latin-1") for each in self._texts
        )
        effort = sanitizer.effort(text) if self._microseconds else DEAR
        if effort > self._microseconds:
            return False
        self._microseconds -= effort
        return True

    def take(self, value: Any, depth: int = 0) -> Any:
        """Return as much of a value as fits; it is the same object if all of it does."""
        if isinstance(value, str | bytes):
            if len(value) > self._left:
                self.exceeded = True
                value = value[: self._left]
            self._left -= len(value)
            self._texts.append(value)
        elif depth > _DEEPEST:
            return value
        elif isinstance(value, Mapping):
            taken = {
                self.take(key): self.take(value[key], depth + 1) for key in self._elements(value)
            }
            return taken if self.exceeded else value
        elif isinstance(value, list | tuple | set | frozenset):
            items = [self.take(item, depth + 1) for item in self._elements(value)]
            return items if self.exceeded else value
        return value

    def _elements(self, container: Any) -> Iterator[Any]:
        for element in container:
            self._left = max(0, self._left - _ELEMENT)
            if not self._left:
                self.exceeded = True
                return
            yield element


def clean_attributes(
    sanitizer: Sanitizer, attributes: dict[str, Any], bounds: Bounds
) -> dict[str, Value]:
    """Return attributes without secrets, as far as they fit."""
    before = bounds.exceeded
    clean = sanitizer.attributes(bounds.take_searchable(attributes, sanitizer))
    if bounds.exceeded and not before:
        return {**_without_end(clean), ATTRIBUTES_CUT: True}
    return clean


def clean_record(
    sanitizer: Sanitizer, attributes: dict[str, Any], body: Any, limit: int
) -> tuple[dict[str, Value], Value]:
    """Return a record's attributes and body without secrets, as far as each fits into the limit."""
    of_attributes, of_body = Bounds(limit), Bounds(limit)
    clean, clean_body = sanitizer.record(
        of_attributes.take_searchable(attributes, sanitizer),
        of_body.take_searchable(body, sanitizer),
    )
    if of_attributes.exceeded:
        clean = {**_without_end(clean), ATTRIBUTES_CUT: True}
    if of_body.exceeded:
        clean = {**clean, BODY_SIZE: _size(body)}
        clean_body = _without_end(clean_body)
    return clean, clean_body


def clean_name(sanitizer: Sanitizer, name: str) -> str:
    """Return a name of any length without secrets, as far as it fits."""
    if len(name) <= LONGEST_NAME:
        return sanitizer.text(name)
    return sanitizer.text(name[: LONGEST_NAME + MARGIN])[:LONGEST_NAME]


def _size(body: Any) -> int:
    """Bytes of a body; of one that is no text, how many elements it has."""
    if isinstance(body, str):
        return len(body.encode("utf-8", "surrogatepass"))
    return len(body)


def _without_end(value: Any) -> Any:
    """Return a cut value without the last text's end, which may be half a secret.

    The text that was taken last is the one that was cut. Only the sanitizer adds something after
    it.
    """
    if isinstance(value, str | bytes):
        return value[:-MARGIN]
    if isinstance(value, Mapping):
        last = next((key for key in reversed([*value]) if key != NORMALIZED), None)
        return {key: _without_end(item) if key == last else item for key, item in value.items()}
    if isinstance(value, list) and value:
        return [*value[:-1], _without_end(value[-1])]
    return value
