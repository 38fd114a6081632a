"""Every attribute that relayscope puts on a span, a log record or a resource, listed once.

What has a convention carries the convention's name (OpenTelemetry GenAI semantic conventions, MCP
section; general, RPC and error conventions). What has none is named `relayscope.*`, and all of
those names are in this module. `sanitizer` has one of its own, `relayscope.normalized`.
"""

from typing import Final

SCOPE: Final = "relayscope.instrumentation"
"""Name of the instrumentation scope of every span and log record of a traced process."""

# --- MCP and JSON-RPC (semantic-conventions-genai, docs/gen-ai/mcp.md) ----------------------------
MCP_METHOD_NAME: Final = "mcp.method.name"
MCP_PROTOCOL_VERSION: Final = "mcp.protocol.version"
MCP_RESOURCE_URI: Final = "mcp.resource.uri"
MCP_SESSION_ID: Final = "mcp.session.id"
GEN_AI_OPERATION_NAME: Final = "gen_ai.operation.name"
GEN_AI_TOOL_NAME: Final = "gen_ai.tool.name"
GEN_AI_PROMPT_NAME: Final = "gen_ai.prompt.name"
LONGEST_TARGET: Final = 128
"""Characters of a tool's or prompt's name in these two and in a span's name; the rest is cut off. A
peer chooses the name, so it needs a bound."""
JSONRPC_REQUEST_ID: Final = "jsonrpc.request.id"
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
PROCESS_COMMAND_LINE: Final = "process.command_line"
PROCESS_EXIT_CODE: Final = "process.exit.code"

# --- relayscope's own -----------------------------------------------------------------------------
MESSAGE_DIRECTION: Final = "relayscope.message.direction"
"""`sent` or `received`, as seen from the process that made the record."""

MESSAGE_KIND: Final = "relayscope.message.kind"
"""`request`, `notification`, `result`, `error`, `batch` or `unparsable`."""

MESSAGE_SIZE: Final = "relayscope.message.size"
"""Bytes of the message's UTF-8 text, before sanitizing."""

MESSAGE_SHA256: Final = "relayscope.message.sha256"
"""Digest of the message's text before sanitizing; only where the text is not recorded, or cut."""

MESSAGE_CUT: Final = "relayscope.message.cut"
"""`busy` where a text was cut because 8 MiB of others waited to be searched for secrets; absent
where `RELAYSCOPE_BODY_LIMIT` cut it."""

MESSAGE_ODD: Final = "relayscope.message.odd"
"""The oddity of a message; absent on ordinary traffic. Values: `OddTraffic`."""

CHANNEL_ID: Final = "relayscope.channel.id"
"""One connection between two peers, named at random when it is first seen."""

CHANNEL_SEQUENCE: Final = "relayscope.channel.sequence"
"""Position of a message on its channel, both directions counted together, from 1."""

CHANNEL_SENT: Final = "relayscope.channel.sent"
"""Number of messages that were sent over a channel, counted when it is closed."""

CHANNEL_RECEIVED: Final = "relayscope.channel.received"
"""Number of messages that arrived over a channel, counted when it is closed."""

CHANNEL_UNANSWERED: Final = "relayscope.channel.unanswered"
"""Number of requests of both directions that have no answer when a channel is closed."""

CHANNEL_CLOSE_CODE: Final = "relayscope.channel.close_code"
"""Close code of a WebSocket (RFC 6455, section 7.4), that of who closed it first; 1006 where no
close frame came or went."""

CHANNEL_CLOSE_REASON: Final = "relayscope.channel.close_reason"
"""The text beside the close code; if there was none, why this process ended the connection."""

CHANNEL_CLOSED_BY: Final = "relayscope.channel.closed_by"
"""The side that closed a WebSocket first: `self`, the process that made the record, or `peer`."""

CHANNEL_EXIT_SIGNAL: Final = "relayscope.channel.exit_signal"
"""Name of the signal that killed the child process at the other end."""

LEVEL_BEFORE: Final = "relayscope.level.before"
"""Level of messages about which there is no rule, until now."""

LEVEL_NOW: Final = "relayscope.level.now"
"""The same, from now on."""

LEVEL_RULES: Final = "relayscope.level.rules"
"""The rules from outside that hold from now on, the first first: `TRACE peer=*:9060`."""

LEVEL_BY: Final = "relayscope.level.by"
"""The user who asked for them."""

PEER: Final = "relayscope.peer"
"""The other end, as the transport names it: `127.0.0.1:9051`, `stdio`, ...; a child
process is named by what it runs, and `process.command_line` of the records of its channel is all of
its command."""

# --- Delivery: what lets a reader say whether everything has arrived ------------------------------
#
# A process is known by its resource: `service.instance.id`, a UUID made anew when the process
# starts and when it forks; `service.name` and `process.pid` stand beside it. Each process numbers
# the spans and log records it emits, both together, from 1. A number that is not stored is missing:
# dropped, lost, or still on its way. Nothing is missing that these numbers do not show, but for
# what may have followed the last one.
#
# What is known about the missing ones travels as a log record with the same resource and the event
# name `relayscope.delivery`, without a number of its own. Its numbers are totals since the start of
# the process; where there are several, the one with the latest time counts. One is sent after
# something was dropped or refused, and one when the process ends in good order.

DELIVERY_SEQUENCE: Final = "relayscope.delivery.sequence"
"""On every span and log record: its number in its process, an integer from 1."""

DELIVERY_EMITTED: Final = "relayscope.delivery.emitted"
"""Number of records that the process has emitted: the highest one of its records so far."""

DELIVERY_SPOOLED: Final = "relayscope.delivery.spooled"
"""Number of them that were written to its spool."""

DELIVERY_ACKNOWLEDGED: Final = "relayscope.delivery.acknowledged"
"""Number of them that a collector had acknowledged before this record was sent."""

DELIVERY_DROPPED: Final = "relayscope.delivery.dropped"
"""Number of them that will never arrive, by reason: a map like `{"size": 120, "age": 3}`, empty if
all is well. Reasons: `full` and `unavailable` (the disk did not take it), `failed` (it could not be
encoded), `size` and `age` (the spool's bounds), `torn`, `corrupt` and `missing` (the spool was
damaged), `rejected` (by the collector, in a partial success), `refused` (by the collector, for
good)."""

DELIVERY_ENDED: Final = "relayscope.delivery.ended"
"""True on the last account of a process: it ended in good order and emits nothing more."""

DELIVERY_GONE: Final = "relayscope.delivery.gone"
"""True on the last account of a process that is there no more and has not closed its account: a
signal has ended it (SIGTERM too, where it has no handler), or it has crashed."""

BODY_SIZE: Final = "relayscope.body.size"
"""Bytes of a log record's body, where it was too large and had to be cut; elements where it was no
text."""

BODY_SHA256: Final = "relayscope.body.sha256"
"""Digest of the whole, sanitized body, where it had to be cut."""

ATTRIBUTES_CUT: Final = "relayscope.attributes.cut"
"""True where a host put more into attributes than is recorded (`RELAYSCOPE_BODY_LIMIT`)."""

ENTITY_REFS: Final = "relayscope.entity_refs"
"""On a resource: its `entity_refs`, which a collector keeps here."""

# --- error.type values that are neither exception names nor codes ---------------------------------
ERROR_TOOL: Final = "tool_error"
"""A tool's result had `isError: true` (MCP conventions)."""

ERROR_UNANSWERED: Final = "relayscope.unanswered"
"""The channel closed before the answer came, or the connection on which it was to come."""

ERROR_STOPPED_READING: Final = "relayscope.stopped_reading"
"""Whoever waited for the answer was cancelled while reading, or timed out, and went on without."""

ERROR_OTHER_CONTENT: Final = "relayscope.other_content"
"""The response to an HTTP request succeeded, and was of a content type that has no messages."""

ERROR_ANSWERED_ABOVE: Final = "relayscope.answered_above"
"""The request for which the call was made has been answered without it."""

ERROR_CANCELLED: Final = "cancelled"
"""The one who made the request cancelled it (`notifications/cancelled`)."""

ERROR_CROWDED_OUT: Final = "relayscope.crowded_out"
"""More requests than can be remembered were open on the channel, and this was the oldest."""

ERROR_TIMEOUT: Final = "timeout"
"""No answer came for a very long time."""
