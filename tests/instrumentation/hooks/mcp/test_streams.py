"""Promises about the watched streams under a session of the `mcp` SDK, as raw relays use them."""

from typing import Any

import anyio
import pytest
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCMessage

from relayscope.conventions.attributes import MESSAGE_DIRECTION, MESSAGE_KIND
from relayscope.conventions.events import EVENT_SEND_FAILED
from relayscope.instrumentation.hooks.mcp.dialect import V1
from relayscope.instrumentation.hooks.mcp.streams import (
    SessionWire,
    WatchedReadStream,
    WatchedWriteStream,
)
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_telemetry import Telemetry

PING = '{"method":"ping","jsonrpc":"2.0","id":1}'


def bodies(telemetry: Telemetry) -> list[Any]:
    """Return the texts of the recorded messages."""
    return [each.log_record.body for each in telemetry.records if each.log_record.body]


def test_what_is_sent_and_received_without_waiting_is_recorded(telemetry: Telemetry) -> None:
    """As with `send` and `receive`; what nobody takes says that it was not sent."""
    wire = SessionWire(telemetry.exchange, Channel.of_pipes("peer"), V1, V1.as_json)
    message = SessionMessage(JSONRPCMessage.model_validate_json(PING))

    async def pump() -> None:
        send, receive = anyio.create_memory_object_stream[Any](1)
        async with (
            WatchedWriteStream(send, wire) as writer,
            WatchedReadStream(receive, wire) as reader,
        ):
            writer.send_nowait(message)
            with pytest.raises(anyio.WouldBlock):
                writer.send_nowait(message)
            assert reader.receive_nowait() is message
            with pytest.raises(anyio.WouldBlock):
                reader.receive_nowait()

    anyio.run(pump)

    assert len(bodies(telemetry)) == 3
    failed = [each for each in telemetry.events if each.event_name == EVENT_SEND_FAILED]
    assert len(failed) == 1
    attributes = failed[0].attributes or {}
    assert (attributes[MESSAGE_KIND], attributes[MESSAGE_DIRECTION]) == ("request", "sent")
