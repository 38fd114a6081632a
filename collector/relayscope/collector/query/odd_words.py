"""Marks of odd messages, in the words of problems."""

from __future__ import annotations

from typing import Final

from relayscope.conventions.odd_traffic import OddTraffic

ODD: Final[dict[str, str]] = {
    OddTraffic.ORPHAN_ANSWER: "sends an answer to no request",
    OddTraffic.ANSWER_TO_NOTIFICATION: "answers a notification, which has no answer",
    OddTraffic.LATE_ANSWER: "answers when nobody waits any more",
    OddTraffic.ID_REUSED: "uses the id of a request that is open",
    OddTraffic.ID_TYPE: "answers with an id of another type than the request's",
    OddTraffic.WITHOUT_ID: "asks without an id, so that nobody can answer",
    OddTraffic.WITH_ID: "sends a notification with an id, which asks for an answer",
    OddTraffic.WRONG_SIDE: "sends what only the other side may send",
    OddTraffic.UNPARSABLE: "sends what is not JSON",
    OddTraffic.NOT_JSONRPC: "sends JSON that is no JSON-RPC message",
    OddTraffic.NOT_MCP: "sends a method that MCP does not know",
}
"""In words that go on from the sender's name."""

IN_PLACE: Final[dict[str, str]] = {
    OddTraffic.ID_TYPE: "what was sent has an id of another type than the request's",
    OddTraffic.LATE_ANSWER: "the answer came when nobody waited any more",
    OddTraffic.ORPHAN_ANSWER: "what was sent has the id of no open request",
    OddTraffic.ANSWER_TO_NOTIFICATION: "what was sent has no id",
    OddTraffic.UNPARSABLE: "what was sent back cannot be read",
    OddTraffic.NOT_JSONRPC: "what was sent back is no JSON-RPC message",
}
"""Of calls without an answer that have a message like one."""
