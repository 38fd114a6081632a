"""The MCP semantic conventions, as functions from messages to span names, attributes and status.

Source: open-telemetry/semantic-conventions-genai, docs/gen-ai/mcp.md (Development), with the error
rules of its pull request 404. Methods that MCP does not know follow the JSON-RPC conventions.
"""

from typing import Final, NamedTuple

from opentelemetry.trace import SpanKind

from relayscope.conventions.attributes import (
    ERROR_TOOL,
    ERROR_TYPE,
    GEN_AI_OPERATION_NAME,
    GEN_AI_PROMPT_NAME,
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MCP_PROTOCOL_VERSION,
    MCP_RESOURCE_URI,
    MCP_SESSION_ID,
    PEER,
    RPC_METHOD,
    RPC_RESPONSE_STATUS_CODE,
    RPC_SYSTEM_NAME,
)
from relayscope.instrumentation.traffic.channel import Channel
from relayscope.instrumentation.traffic.message import KNOWN_METHODS, Kind, Message, id_text
from relayscope.sanitizer import Value

# Looked up once: see `traffic/level.py`.
_ERROR: Final = Kind.ERROR
_CLIENT: Final = SpanKind.CLIENT

_NOT_THE_SERVERS_FAULT: Final = frozenset({-32700, -32600, -32601, -32602, -32002})
"""Codes that tell a client it asked wrongly: a SERVER span that answers so has not failed."""

_LONGEST: Final = 4096
"""Characters of what a peer chooses; a span lives until its request is answered."""


def span_name(method: str, target: str) -> str:
    """Return `{method} {target}`, or the method alone where there is no target."""
    return f"{method} {target}" if target else method[:_LONGEST]


def message_attributes(message: Message) -> dict[str, Value]:
    """Return the attributes that a message itself tells, for its span and its log record."""
    attributes: dict[str, Value] = {}
    if message.method:
        attributes.update(_method_attributes(message))
    if message.id is not None:
        attributes[JSONRPC_REQUEST_ID] = id_text(message.id)
    if message.error_code is not None:
        attributes[RPC_RESPONSE_STATUS_CODE] = str(message.error_code)
    return attributes


def method_attributes(method: str, target: str) -> dict[str, Value]:
    """Return the attributes of an answer's method, known from the request it answers."""
    attributes: dict[str, Value] = {MCP_METHOD_NAME: method}
    if target and method == "tools/call":
        attributes[GEN_AI_TOOL_NAME] = target
    elif target:
        attributes[GEN_AI_PROMPT_NAME] = target
    return attributes


def _method_attributes(message: Message) -> dict[str, Value]:
    method = message.method
    if method not in KNOWN_METHODS:
        return {RPC_SYSTEM_NAME: "jsonrpc", RPC_METHOD: method[:_LONGEST]}
    attributes = method_attributes(method, message.target)
    if method == "tools/call":
        attributes[GEN_AI_OPERATION_NAME] = "execute_tool"
    elif method.startswith("resources/"):
        uri = message.parameter("uri")
        if uri is not None:
            attributes[MCP_RESOURCE_URI] = uri[:_LONGEST]
    return attributes


def channel_attributes(channel: Channel, kind: SpanKind) -> dict[str, Value]:
    """Return the attributes that the connection tells, for a span of this kind."""
    addresses = channel.as_client if kind is _CLIENT else channel.as_server
    attributes = {PEER: channel.peer, **channel.transport, **addresses}
    if channel.protocol_version:
        attributes[MCP_PROTOCOL_VERSION] = channel.protocol_version
    if channel.session_id:
        attributes[MCP_SESSION_ID] = channel.session_id
    return attributes


class Outcome(NamedTuple):
    """The outcome of a call.

    Attributes:
        attributes: For its span and its measurement.
        failed: True if it counts as an error on this side.
        description: The error's message, as the peer put it.
    """

    attributes: dict[str, Value]
    failed: bool
    description: str = ""


_SUCCEEDED: Final = Outcome({}, failed=False)


def outcome(kind: SpanKind, answer: Message) -> Outcome:
    """Return what an answer means for its call.

    Args:
        kind: Of the call's span: what is an error depends on the side.
        answer: The result or error.
    """
    if answer.kind is _ERROR:
        code = str(answer.error_code) if answer.error_code is not None else "_OTHER"
        attributes: dict[str, Value] = {}
        if answer.error_code is not None:
            attributes[RPC_RESPONSE_STATUS_CODE] = code
        failed = kind is _CLIENT or answer.error_code not in _NOT_THE_SERVERS_FAULT
        if failed:
            attributes[ERROR_TYPE] = code
        return Outcome(attributes, failed, answer.error_message)
    if answer.is_tool_error:
        return Outcome({ERROR_TYPE: ERROR_TOOL}, failed=True)
    return _SUCCEEDED
