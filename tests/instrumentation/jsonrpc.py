"""JSON-RPC messages, and how the tests of the exchange let them cross."""

import json
from typing import Any

from relayscope.conventions.attributes import MESSAGE_ODD
from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_telemetry import Telemetry


def request(identifier: Any, method: str = "tools/call", **params: Any) -> str:
    """Return a request."""
    return json.dumps({"jsonrpc": "2.0", "id": identifier, "method": method, "params": params})


def result(identifier: Any, **members: Any) -> str:
    """Return a result."""
    return json.dumps({"jsonrpc": "2.0", "id": identifier, "result": members})


def error(identifier: Any, code: int) -> str:
    """Return an error."""
    members = {"code": code, "message": "no"}
    return json.dumps({"jsonrpc": "2.0", "id": identifier, "error": members})


def send(text_exchange: TextExchange, channel: Channel, text: str) -> str:
    """Send a message as a hook does; return what went over the wire."""
    outgoing = text_exchange.sending(channel, text)
    return text if outgoing is None else outgoing.data


def pipes() -> Channel:
    """Return a new channel."""
    return Channel.of_pipes("peer")


def odd(telemetry: Telemetry) -> list[Any]:
    """Return the odd-traffic marks of the log records."""
    return [(record.log_record.attributes or {}).get(MESSAGE_ODD) for record in telemetry.records]
