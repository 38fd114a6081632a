"""A trace for programs: one JSON object, in the words of the views.

::

    {
      "trace_id": "4bf92f35-77b3-4da6-a3ce-929d0e0e4736",
      "complete": true,             // false: there are more spans or records than --limit
      "spans": [                    // columns of `spans`; depth first, children by their start
        {..., "depth",
         "recorded": true,          // false: others name it, nothing else is known of it
         "in_cycle": false}         // true: its parent is its own descendant
      ],
      "messages": [...],            // columns of `messages`, by time
      "logs": [...]                 // columns of `logs`, of the other log records, by time
    }

Every key is always there; what is not known is null. VIEWS.md has the list of them. Keys may be
added, none is removed or changes its meaning.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import orjson

from relayscope.collector.query.records import Message, whole_number
from relayscope.collector.query.trace_tree import Node
from relayscope.collector.text.printable import json_line
from relayscope.conventions.attributes import BODY_SHA256, MESSAGE_SHA256
from relayscope.sanitizer import NORMALIZED

if TYPE_CHECKING:
    from relayscope.collector.query.records import Record
    from relayscope.collector.query.trace_tree import Trace


def trace_json(trace: Trace) -> str:
    """The trace as one line of JSON."""
    nodes = [(entry.depth, entry.item) for entry in trace.entries() if isinstance(entry.item, Node)]
    records = sorted(
        chain(trace.loose, *(node.records for _, node in nodes)), key=lambda record: record.time
    )
    return json_line(
        orjson.dumps(
            {
                "trace_id": str(trace.trace_id),
                "complete": not (trace.more_spans or trace.more_records),
                "spans": [_span(node, depth) for depth, node in nodes],
                "messages": [_message(record) for record in records if isinstance(record, Message)],
                "logs": [_log(record) for record in records if not isinstance(record, Message)],
            }
        ).decode()
    )


def _span(node: Node, depth: int) -> dict[str, Any]:
    span = node.span
    return {
        "span_id": node.span_id,
        "parent_span_id": span and span.parent_span_id,
        "depth": depth,
        "component": span and span.component,
        "name": span and span.name,
        "kind": span and span.kind,
        "start_unix_nano": span and span.start,
        "end_unix_nano": span and span.end,
        "status": span and span.status,
        "status_message": span and span.status_message,
        "error_type": span and span.error_type,
        "attributes": span and span.attributes,
        "events": span
        and [
            {"time": event.time, "name": event.name, "attributes": event.attributes}
            for event in span.events
        ],
        "links": span and span.links,
        "recorded": span is not None,
        "in_cycle": node.in_cycle,
    }


def _message(message: Message) -> dict[str, Any]:
    return {
        "span_id": message.span_id,
        "component": message.component,
        "time_unix_nano": message.time,
        "direction": message.direction,
        "kind": message.kind,
        "method": message.method,
        "request_id": message.request_id,
        "error_code": whole_number(message.error_code),
        "size": message.size,
        "message_id": message.message_id,
        "channel": message.channel,
        "sequence": message.sequence,
        "peer": message.peer,
        "tool": message.tool,
        "odd": message.odd,
        "body": message.body,
        "attributes": message.attributes,
        "truncated": _is_truncated(message),
    }


def _is_truncated(message: Message) -> bool:
    """Return whether the text is only the beginning, as the view `messages` does."""
    said = message.attributes
    normalized = said.get(NORMALIZED)
    return message.body is not None and (
        MESSAGE_SHA256 in said
        or BODY_SHA256 in said
        or (isinstance(normalized, list) and "truncated" in normalized)
    )


def _log(record: Record) -> dict[str, Any]:
    return {
        "span_id": record.span_id,
        "component": record.component,
        "time_unix_nano": record.time,
        "event_name": record.event_name,
        "severity_number": record.severity_number,
        "severity_text": record.severity_text,
        "body": record.body,
        "attributes": record.attributes,
    }
