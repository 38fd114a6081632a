"""Trace ids in every form that people paste."""

from __future__ import annotations

import re
from typing import Final
from uuid import UUID

_FORMS: Final = (
    re.compile(r"([0-9a-f]{32})"),
    re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})"),
    # W3C Trace Context §3.2: version, trace id, parent id, flags; later versions may append fields.
    re.compile(r"(?:traceparent\W+)?[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?:-.*)?"),
)


def parse_trace_id(text: str) -> UUID:
    """The trace id in a hex number, a UUID, or a whole `traceparent` (also with its header name).

    Raises:
        ValueError: it is none of these, or the id that W3C Trace Context forbids (all zeros).
    """
    plain = text.strip().strip("\"'").lower()
    for form in _FORMS:
        if (found := form.fullmatch(plain)) and (trace_id := UUID(found[1])).int:
            return trace_id
    raise ValueError("expected a trace id: 32 hex digits, a UUID, or a traceparent")
