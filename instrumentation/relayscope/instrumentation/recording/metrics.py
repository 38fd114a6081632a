"""The four histograms of the MCP conventions: how long operations and sessions take.

Source: open-telemetry/semantic-conventions-genai, docs/gen-ai/mcp.md, "Metrics" (Development).
"""

from collections.abc import Callable
from typing import Final

from opentelemetry.metrics import Meter, NoOpMeter
from opentelemetry.trace import SpanKind

from relayscope.conventions.attributes import (
    ERROR_TYPE,
    GEN_AI_OPERATION_NAME,
    GEN_AI_PROMPT_NAME,
    GEN_AI_TOOL_NAME,
    MCP_METHOD_NAME,
    MCP_PROTOCOL_VERSION,
    NETWORK_PROTOCOL_NAME,
    NETWORK_TRANSPORT,
    RPC_RESPONSE_STATUS_CODE,
    SERVER_ADDRESS,
    SERVER_PORT,
)
from relayscope.sanitizer import Value

_BOUNDARIES: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300)
"""Seconds, as the conventions say."""

_OF_OPERATIONS: Final = frozenset(
    {
        MCP_METHOD_NAME,
        MCP_PROTOCOL_VERSION,
        GEN_AI_OPERATION_NAME,
        GEN_AI_TOOL_NAME,
        GEN_AI_PROMPT_NAME,
        RPC_RESPONSE_STATUS_CODE,
        ERROR_TYPE,
        NETWORK_TRANSPORT,
        NETWORK_PROTOCOL_NAME,
        SERVER_ADDRESS,
        SERVER_PORT,
    }
)
"""Attributes of an operation's measurement: few values each, so neither ids nor URIs."""

_OF_SESSIONS: Final = frozenset(
    {
        MCP_PROTOCOL_VERSION,
        ERROR_TYPE,
        NETWORK_TRANSPORT,
        NETWORK_PROTOCOL_NAME,
        SERVER_ADDRESS,
        SERVER_PORT,
    }
)

_NANOSECONDS: Final = 1e9


class Durations:
    """Measures operations and sessions.

    Attributes:
        is_measuring: True if the measurements are exported.
    """

    def __init__(self, meter: Meter) -> None:
        self.is_measuring = not isinstance(meter, NoOpMeter)

        def histogram(side: str, what: str) -> Callable[[float, dict[str, Value]], None]:
            return meter.create_histogram(
                f"mcp.{side}.{what}.duration",
                unit="s",
                description=f"Duration of an MCP {what} as seen by its {side}.",
                explicit_bucket_boundaries_advisory=_BOUNDARIES,
            ).record

        self._operations = {
            SpanKind.CLIENT: histogram("client", "operation"),
            SpanKind.SERVER: histogram("server", "operation"),
        }
        self._sessions = {
            SpanKind.CLIENT: histogram("client", "session"),
            SpanKind.SERVER: histogram("server", "session"),
        }

    def operation(self, kind: SpanKind, nanoseconds: int, attributes: dict[str, Value]) -> None:
        """Measure a call, or a notification."""
        chosen = {key: attributes[key] for key in _OF_OPERATIONS & attributes.keys()}
        self._operations[kind](nanoseconds / _NANOSECONDS, chosen)

    def session(self, kind: SpanKind, nanoseconds: int, attributes: dict[str, Value]) -> None:
        """Measure a session, from its handshake to the end of its channel."""
        chosen = {key: attributes[key] for key in _OF_SESSIONS & attributes.keys()}
        self._sessions[kind](nanoseconds / _NANOSECONDS, chosen)
