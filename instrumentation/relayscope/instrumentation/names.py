"""Every name that relayscope puts on a span or a log record, listed once.

What has a convention carries the convention's name (OpenTelemetry GenAI semantic conventions, MCP
section; general, RPC and error conventions). What has none is named `relayscope.*`, and all of
those names are in this module.
"""

from typing import Final

# --- MCP and JSON-RPC (semantic-conventions-genai, docs/gen-ai/mcp.md) ----------------------------
MCP_METHOD_NAME: Final = "mcp.method.name"
MCP_PROTOCOL_VERSION: Final = "mcp.protocol.version"
MCP_RESOURCE_URI: Final = "mcp.resource.uri"
MCP_SESSION_ID: Final = "mcp.session.id"
GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
GEN_AI_TOOL_NAME: Final = "gen_ai.tool.name"
GEN_AI_PROMPT_NAME: Final = "gen_ai.prompt.name"
JSONRPC_REQUEST_ID: Final = "jsonrpc.request.id"
JSONRPC_PROTOCOL_VERSION: Final = "jsonrpc.protocol.version"
RPC_SYSTEM_NAME: Final = "rpc.system.name"
RPC_METHOD: Final = "rpc.method"
RPC_RESPONSE_STATUS_CODE: Final = "rpc.response.status_code"

# --- General conventions --------------------------------------------------------------------------
ERROR_TYPE: Final = "error.type"
NETWORK_TRANSPORT: Final = "network.transport"
NETWORK_PROTOCOL_NAME: Final = "network.protocol.name"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"
CLIENT_ADDRESS: Final = "client.address"
CLIENT_PORT: Final = "client.port"

# --- relayscope's own -----------------------------------------------------------------------------
EVENT_MESSAGE: Final = "mcp.message"
"""Event name of the log record that carries one message."""

MESSAGE_DIRECTION: Final = "relayscope.message.direction"
"""`sent` or `received`, as seen from the process that made the record."""

MESSAGE_KIND: Final = "relayscope.message.kind"
"""`request`, `notification`, `result`, `error`, `batch` or `unparsable`."""

MESSAGE_SIZE: Final = "relayscope.message.size"
"""Bytes of the message's UTF-8 text, before sanitizing."""

MESSAGE_SHA256: Final = "relayscope.message.sha256"
"""Digest of the message's text before sanitizing; only where the text is not recorded, or cut."""

MESSAGE_ODD: Final = "relayscope.message.odd"
"""What is odd about a message; absent on ordinary traffic. Values: `OddTraffic`."""

CHANNEL_ID: Final = "relayscope.channel.id"
"""One connection between two peers, named at random when it is first seen."""

CHANNEL_SEQUENCE: Final = "relayscope.channel.sequence"
"""Position of a message on its channel, both directions counted together, from 1."""

PEER: Final = "relayscope.peer"
"""Who is at the other end, as the transport names it: `127.0.0.1:9051`, `stdio`, ..."""

SPAN_CONNECT: Final = "connect"
"""Name of the CLIENT span of a connection that could not be made."""

# --- error.type values that are neither exception names nor codes ---------------------------------
ERROR_TOOL: Final = "tool_error"
"""A tool's result had `isError: true` (MCP conventions)."""

ERROR_UNANSWERED: Final = "relayscope.unanswered"
"""The channel closed before the answer came."""

ERROR_CANCELLED: Final = "cancelled"
"""The one who made the request cancelled it (`notifications/cancelled`)."""

ERROR_TIMEOUT: Final = "timeout"
"""No answer came for a very long time."""
