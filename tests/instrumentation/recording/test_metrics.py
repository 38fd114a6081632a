"""Promises about the four histograms of the MCP conventions."""

from typing import Any

from opentelemetry.sdk.metrics.export import HistogramDataPoint

from relayscope.instrumentation.text_exchange import TextExchange
from relayscope.instrumentation.traffic.channel import Channel
from tests.fix_telemetry import Telemetry

BOUNDARIES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)


def points(telemetry: Telemetry) -> dict[str, list[HistogramDataPoint]]:
    """The data points of each histogram, all of which measure seconds."""
    data: Any = telemetry.metrics.get_metrics_data()
    found = {}
    for metric in data.resource_metrics[0].scope_metrics[0].metrics:
        assert metric.unit == "s"
        found[metric.name] = list(metric.data.data_points)
    return found


def test_operations_and_sessions_are_measured_on_both_sides(telemetry: Telemetry) -> None:
    """Each call is measured once on each side, with the conventions' attributes and buckets."""
    text_exchange = TextExchange(telemetry.exchange)
    client = Channel.of_socket("websocket", ("127.0.0.1", 9051))
    server = Channel.of_pipes("stdio")
    hello = '{"jsonrpc":"2.0","id":0,"method":"initialize","params":{}}'
    hi = '{"jsonrpc":"2.0","id":0,"result":{"protocolVersion":"2025-11-25"}}'
    call = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add"}}'
    error = '{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"no"}}'
    for request, answer in ((hello, hi), (call, error)):
        outgoing = text_exchange.sending(client, request)
        assert outgoing is not None
        text_exchange.received(client, answer)
        text_exchange.received(server, request)
        outgoing = text_exchange.sending(server, answer)
        assert outgoing is not None
    text_exchange.closed(client)
    text_exchange.closed(server)

    found = points(telemetry)
    assert found.keys() == {
        f"mcp.{side}.{what}.duration"
        for side in ("client", "server")
        for what in ("operation", "session")
    }
    for histogram in found.values():
        for point in histogram:
            assert point.explicit_bounds == BOUNDARIES
            assert point.count == 1
    (failed,) = (
        dict(point.attributes or {})
        for point in found["mcp.client.operation.duration"]
        if (point.attributes or {})["mcp.method.name"] == "tools/call"
    )
    assert failed == {
        "mcp.method.name": "tools/call",
        "mcp.protocol.version": "2025-11-25",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "add",
        "rpc.response.status_code": "-32602",
        "error.type": "-32602",
        "network.transport": "tcp",
        "network.protocol.name": "websocket",
        "server.address": "127.0.0.1",
        "server.port": 9051,
    }
    (answered,) = (
        dict(point.attributes or {})
        for point in found["mcp.server.operation.duration"]
        if (point.attributes or {})["mcp.method.name"] == "tools/call"
    )
    # The one who was asked wrongly has not failed.
    assert answered["rpc.response.status_code"] == "-32602"
    assert "error.type" not in answered


def test_methods_that_a_peer_invents_are_not_measured(telemetry: Telemetry) -> None:
    """No label is a stranger's to choose but a tool's or prompt's name."""
    text_exchange, channel = TextExchange(telemetry.exchange), Channel.of_pipes("stdio")
    text_exchange.received(channel, '{"jsonrpc":"2.0","id":1,"method":"invented","params":{}}')
    text_exchange.received(channel, '{"jsonrpc":"2.0","method":"invented/too"}')
    text_exchange.closed(channel)

    assert telemetry.metrics.get_metrics_data() is None
