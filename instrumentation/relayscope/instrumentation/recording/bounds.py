"""Bounds on what a host puts on its own records and spans, before secrets are looked for in it.

A message's text has the same bound (`message_log.py`). Searching takes the host's own time, and a
host may log as much as it likes: 1 MiB took 19.5 s before there was a bound.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from relayscope.conventions.attributes import ATTRIBUTES_CUT, BODY_SIZE
from relayscope.sanitizer import NORMALIZED, Sanitizer, Value

from .body_limit import MARGIN

DEAR_LIMIT: Final = 16 * 1024
"""Characters kept of a text that takes long to be searched (`Sanitizer.is_dear`), where it cannot
be searched on another thread. The densest text takes 0.1 µs for each of them."""

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
        self.exceeded = False

    def take(self, value: Any, depth: int = 0) -> Any:
        """Return as much of a value as fits; it is the same object if all of it does."""
        if isinstance(value, str | bytes):
            if len(value) > self._left:
                self.exceeded = True
                value = value[: self._left]
            self._left -= len(value)
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
    clean = sanitizer.attributes(bounds.take(attributes))
    if bounds.exceeded and not before:
        return {**_without_end(clean), ATTRIBUTES_CUT: True}
    return clean


def clean_record(
    sanitizer: Sanitizer, attributes: dict[str, Any], body: Any, limit: int
) -> tuple[dict[str, Value], Value]:
    """Return a record's attributes and body without secrets, as far as each fits into the limit."""
    is_dear = isinstance(body, str) and sanitizer.is_dear(body[:limit])
    of_attributes, of_body = Bounds(limit), Bounds(DEAR_LIMIT + MARGIN if is_dear else limit)
    clean, clean_body = sanitizer.record(of_attributes.take(attributes), of_body.take(body))
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
