"""Columns of each list in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from relayscope.collector.query.filters import LEVELS
from relayscope.collector.render.list_table import Column, ListTable
from relayscope.collector.text.message_summary import gist
from relayscope.collector.text.quantities import interval_text, size_text

if TYPE_CHECKING:
    from relayscope.collector.render.list_table import Fields

_WARNING: Final = LEVELS["warn"]
_ARROWS: Final = {"sent": "→", "received": "←", "client": "→", "server": "←"}

_COMPONENT: Final = Column("component", lambda row: row["component"])
_PEER: Final = Column("peer", lambda row: row["peer"], optional=True)


def _asked(row: Fields) -> str | None:
    """The method, or the tool where that is called: it is what tells one call from another."""
    return row["tool"] if row["method"] == "tools/call" and row["tool"] else row["method"]


def _message(row: Fields) -> str:
    """Return a message's direction, and what is known of it without its text."""
    kind = row["kind"]
    parts = (
        _ARROWS.get(row["direction"] or "", "?"),
        kind if kind not in ("request", "notification") else None,
        row["error_code"],
        _asked(row),
        row["request_id"] and f"#{row['request_id']}",
    )
    return " ".join(part for part in parts if part)


def _said(row: Fields) -> str:
    odd = row["odd"]
    body = row["body"]
    said = "text not recorded" if body is None else gist(body)
    return f"! {odd}  {said}" if odd else said


def _call(row: Fields) -> str:
    parts = (_ARROWS.get(row["side"] or ""), _asked(row))
    return " ".join(part for part in parts if part)


def _outcome(row: Fields) -> str:
    is_answered = row["answer"] is not None and row["outcome"] != "unanswered"
    parts = (
        row["outcome"],
        row["error_code"] or (None if is_answered else row["error_type"]),
        row["odd"] and f"! {row['odd']}",
        gist(row["answer"]) if row["answer"] else None,
    )
    return "  ".join(part for part in parts if part)


def _duration(row: Fields) -> str:
    return interval_text(row["duration"]) if row["duration"] is not None else ""


def _took(row: Fields) -> str:
    return _duration(row) if row["waited"] is None else f"waited {interval_text(row['waited'])}"


def _findings(row: Fields) -> str:
    parts = [
        f"{row[name]} {noun}"
        for name, noun in (("errors", "failed"), ("odd_messages", "odd"))
        if row[name] not in (None, "0")
    ]
    return ", ".join(parts)


def _record(row: Fields) -> str:
    return "  ".join(part for part in (row["event_name"], row["body"]) if part)


MESSAGES: Final = ListTable(
    "time",
    (
        _COMPONENT,
        Column("message", _message),
        Column("size", lambda row: size_text(int(row["size"] or 0)), optional=True, right=True),
        _PEER,
        Column("message_id", lambda row: row["message_id"], fixed=True, optional=True),
        Column("said", _said),
    ),
    lambda row: row["odd"] is not None or row["kind"] == "error",
)

CALLS: Final = ListTable(
    "time",
    (
        _COMPONENT,
        Column("call", _call),
        _PEER,
        Column("duration", _took, fixed=True, right=True, spare=True),
        Column("outcome", _outcome),
    ),
    lambda row: row["outcome"] != "ok",
)

TRACES: Final = ListTable(
    "start_time",
    (
        _COMPONENT,
        Column("name", lambda row: row["name"]),
        Column("duration", _duration, fixed=True, right=True, spare=True),
        Column("messages", lambda row: row["messages"], fixed=True, optional=True, right=True),
        Column("components", lambda row: row["components"], optional=True),
        Column("findings", _findings),
    ),
    lambda row: bool(_findings(row)),
)

LOGS: Final = ListTable(
    "time",
    (
        _COMPONENT,
        Column("severity", lambda row: row["severity_text"] or row["severity_number"]),
        Column("said", _record),
    ),
    lambda row: int(row["severity_number"] or 0) >= _WARNING,
)
