"""The marks of messages that are odd, values of `relayscope.message.odd`."""

from enum import StrEnum


class OddTraffic(StrEnum):
    """Marks of messages that a healthy pair of MCP peers would not have sent."""

    ORPHAN_ANSWER = "orphan_answer"
    """An answer whose id is null, absent, or was never that of a request."""
    ANSWER_TO_NOTIFICATION = "answer_to_notification"
    """An error without an id after a notification, which must not be answered."""
    LATE_ANSWER = "late_answer"
    """An answer to a request that was cancelled, or given up after its timeout."""
    ID_REUSED = "id_reused"
    """A request with the id of one still open, or an answer that is paired by order for it."""
    ID_TYPE = "id_type"
    """An answer to 35 whose id is "35", or the other way round, or an id that is none (`true`)."""
    UNPARSABLE = "unparsable"
    """Not JSON, on a channel that speaks JSON-RPC."""
    NOT_JSONRPC = "not_jsonrpc"
    """JSON that is no JSON-RPC message, on a channel that speaks JSON-RPC."""
    WITHOUT_ID = "without_id"
    """A request of MCP's that was sent as a notification, which nobody can answer."""
    WITH_ID = "with_id"
    """A notification of MCP's that was sent as a request, which asks for an answer."""
    WRONG_SIDE = "wrong_side"
    """A request or notification that only the other side may send, seen from the handshake."""
    NOT_MCP = "not_mcp"
    """A JSON-RPC request or notification whose method MCP does not know."""
