"""Words for spans and messages, on the page."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from relayscope.collector.render import labels
from relayscope.collector.text.message_summary import gist
from relayscope.collector.text.printable import one_line
from relayscope.collector.text.quantities import duration_text, took_text
from relayscope.conventions.odd_traffic import OddTraffic

if TYPE_CHECKING:
    from relayscope.collector.query.records import Message, Record, Span

WARN: Final = 13
ERROR: Final = 17
"""Severity numbers of OpenTelemetry's log data model."""

GIST_CHARACTERS: Final = 600
"""Characters of a text that are loaded for its gist: an envelope with trace context takes 150."""

LONGEST_GIST: Final = 160
"""More than a line of a wide screen shows beside the rest."""

ODD: Final[dict[str, str]] = {
    OddTraffic.ORPHAN_ANSWER: "an answer that belongs to no request",
    OddTraffic.ANSWER_TO_NOTIFICATION: "an answer to a notification, which takes none",
    OddTraffic.LATE_ANSWER: "an answer to a request that had been given up",
    OddTraffic.ID_REUSED: "a request with the id of one that is still open",
    OddTraffic.ID_TYPE: "an answer whose id is of another type than the request's",
    OddTraffic.WITHOUT_ID: "a request without an id, which nobody can answer",
    OddTraffic.WITH_ID: "a notification with an id, which asks for an answer",
    OddTraffic.WRONG_SIDE: "a message that only the other side may send",
    OddTraffic.UNPARSABLE: "no JSON",
    OddTraffic.NOT_JSONRPC: "JSON that is no message of JSON-RPC",
    OddTraffic.NOT_MCP: "a method that MCP does not know",
}
"""Meanings of the marks of odd messages."""

STRAY: Final = "it is in no trace: it was on a connection of this one, which may have taken it"
"""Words for an odd message that is shown with a trace and is in none."""

STRAY_CLOSING: Final = "it is in no trace: it is how a connection of this one ended"

_TOOL_ERROR: Final = re.compile(r'"isError"\s*:\s*true')
"""The same that PostgreSQL's views look for; in a string, the quotes would be escaped."""


def label(message: Message) -> str:
    """Return what kind of message it is: `tools/call search #3`, `error -32601 #3`."""
    return one_line(labels.message_label(message, message.tool))


def said(message: Message) -> str:
    """Return the text beyond its label, cut to one line."""
    if message.body is None:
        return "text not recorded"
    is_short = len(message.body) <= GIST_CHARACTERS
    return _gist(message.body) if is_short else short(gist(message.body))


def says_tool_error(message: Message) -> bool:
    """Return whether a tool's result says that it failed, as far as its text is loaded."""
    return message.kind == "result" and _TOOL_ERROR.search(message.body or "") is not None


@lru_cache(maxsize=10_000)
def _gist(text: str) -> str:
    """The gist of a text that is recorded up to four times: at both ends, and on both sides."""
    return short(gist(text))


def log_label(record: Record) -> str:
    """Severity and event of a log record."""
    parts = [record.severity_text or "", record.event_name or ""]
    return one_line(" ".join(filter(None, parts)) or "log")


def log_said(record: Record) -> str:
    """The words of a log record, cut to one line."""
    return short(labels.log_text(record.body, record.attributes))


def short(text: str) -> str:
    """The beginning of a text, on one line."""
    line = one_line(text[: LONGEST_GIST + 1])
    return line if len(text) <= LONGEST_GIST else f"{line[:LONGEST_GIST]}…"


def failure(span: Span) -> str:
    """Return why a span failed, cut to one line."""
    return short(labels.failure(span))


def no_answer(span: Span) -> str | None:
    """Return why a call has no answer; None if it has one, or if the reason is not known."""
    if span.error_type not in labels.NO_ANSWER:
        return None
    return short(f"no answer in {took_text(span.start, span.end)}: {labels.failure(span)}")


def moment(ns: int, zero: int) -> str:
    """A time since the trace began, in the unit that fits it."""
    return duration_text(ns - zero)
