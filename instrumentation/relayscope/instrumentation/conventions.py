"""The MCP semantic conventions, as functions from messages to span names, attributes and status.

Source: open-telemetry/semantic-conventions-genai, docs/gen-ai/mcp.md (Development), with the error
rules of its pull request 404. Methods that MCP does not know follow the JSON-RPC conventions.
"""

from typing import Final

from opentelemetry.trace import Span, SpanKind, StatusCode

from relayscope.sanitizer import Value

from . import names
from .channel import Channel
from .message import KNOWN_METHODS, Kind, Message

_NOT_THE_SERVERS_FAULT: Final = frozenset({-32700, -32600, -32601, -32602, -32002})
"""Codes that tell a client it asked wrongly: a SERVER span that answers so has not failed."""

_LONGEST_TARGET: Final = 128
"""Characters of a target that go into a span name; a peer chooses it, so it needs a bound."""


def target_of(message: Message) -> str:
    """Return what a request is about: the tool's or prompt's name, else empty."""
    if message.method in ("tools/call", "prompts/get"):
        return (message.parameter("name") or "")[:_LONGEST_TARGET]
    return ""


def span_name(method: str, target: str) -> str:
    """Return `{method} {target}`, or the method alone where there is no target."""
    return f"{method} {target}" if target else method


def message_attributes(message: Message) -> dict[str, Value]:
    """Return the attributes that a message itself tells, for its span and its log record."""
    attributes: dict[str, Value] = {}
    if message.method:
        attributes.update(_method_attributes(message))
    if message.id is not None:
        attributes[names.JSONRPC_REQUEST_ID] = str(message.id)
    if message.error_code is not None:
        attributes[names.RPC_RESPONSE_STATUS_CODE] = str(message.error_code)
    return attributes


def method_attributes(method: str, target: str) -> dict[str, Value]:
    """Return the attributes of an answer's method, known from the request it answers."""
    attributes: dict[str, Value] = {names.MCP_METHOD_NAME: method}
    if target and method == "tools/call":
        attributes[names.GEN_AI_TOOL_NAME] = target
    elif target:
        attributes[names.GEN_AI_PROMPT_NAME] = target
    return attributes


def _method_attributes(message: Message) -> dict[str, Value]:
    method = message.method
    if method not in KNOWN_METHODS:
        return {names.RPC_SYSTEM_NAME: "jsonrpc", names.RPC_METHOD: method}
    attributes = method_attributes(method, target_of(message))
    if method == "tools/call":
        attributes[names.GEN_AI_OPERATION_NAME] = "execute_tool"
    elif method.startswith("resources/"):
        uri = message.parameter("uri")
        if uri is not None:
            attributes[names.MCP_RESOURCE_URI] = uri
    return attributes


def channel_attributes(channel: Channel, kind: SpanKind) -> dict[str, Value]:
    """Return the attributes that the connection tells, for a span of this kind."""
    addresses = channel.as_client if kind is SpanKind.CLIENT else channel.as_server
    attributes = {names.PEER: channel.peer, **channel.transport, **addresses}
    if channel.protocol_version:
        attributes[names.MCP_PROTOCOL_VERSION] = channel.protocol_version
    if channel.session_id:
        attributes[names.MCP_SESSION_ID] = channel.session_id
    return attributes


def set_outcome(span: Span, kind: SpanKind, answer: Message, description: str) -> None:
    """Give `span` the status that its answer means.

    Args:
        span: The span of the request.
        kind: Its kind: what is an error depends on the side.
        answer: The result or error.
        description: The error's message, sanitized.
    """
    if answer.kind is Kind.ERROR:
        code = str(answer.error_code) if answer.error_code is not None else "_OTHER"
        if answer.error_code is not None:
            span.set_attribute(names.RPC_RESPONSE_STATUS_CODE, code)
        if kind is SpanKind.CLIENT or answer.error_code not in _NOT_THE_SERVERS_FAULT:
            span.set_attribute(names.ERROR_TYPE, code)
            span.set_status(StatusCode.ERROR, description or None)
    elif answer.is_tool_error:
        span.set_attribute(names.ERROR_TYPE, names.ERROR_TOOL)
        span.set_status(StatusCode.ERROR)
