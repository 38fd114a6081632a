"""Words for a text of which only the beginning was recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import orjson

from relayscope.collector.query.records import Message
from relayscope.collector.text.quantities import size_text
from relayscope.conventions.attributes import BODY_SHA256, BODY_SIZE, MESSAGE_CUT, MESSAGE_SHA256
from relayscope.conventions.environment import RELAYSCOPE_BODY_LIMIT

if TYPE_CHECKING:
    from relayscope.collector.query.records import Record

_MARKS: Final = (MESSAGE_SHA256, BODY_SHA256)
"""Attributes that a record with a text has only if the text was cut."""


def is_cut(record: Record, text: str | None) -> bool:
    """Return whether that text, the record's, is only the beginning of what was said.

    A message with the mark that is whole JSON is not cut: a large image was taken out of it, and
    says so itself.
    """
    if not text or not any(mark in record.attributes for mark in _MARKS):
        return False
    try:
        orjson.loads(text)
    except ValueError:
        return True
    return not isinstance(record, Message)


def cut_words(record: Record, text: str | None) -> str:
    """Say how much of a text was recorded, and what bounds it; nothing of a whole one."""
    if not text or not is_cut(record, text):
        return ""
    recorded = len(text.encode("utf-8", "surrogatepass"))
    size = record.attributes.get(BODY_SIZE)
    if not isinstance(size, int):
        size = record.size if isinstance(record, Message) else 0
    of_all = f" of {size_text(size)}" if size > recorded else ""
    return f"Cut: {size_text(recorded)}{of_all} were recorded ({_bound(record)})"


def _bound(record: Record) -> str:
    if BODY_SHA256 in record.attributes:
        return "no request takes more"
    if MESSAGE_CUT in record.attributes:
        return "too much was waiting to be searched for secrets"
    return RELAYSCOPE_BODY_LIMIT
