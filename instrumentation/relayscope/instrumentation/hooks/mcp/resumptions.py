"""Requests whose answer a client of the SDK fetches over HTTP, and that it does not send again.

Where a session was left in mid-call, another may go on with it: its caller makes the same request
with a resumption token. The transport then asks for the rest of the first one's response, with a
GET that names the token, and gives the answer the id of the second.
"""

from typing import Any


def is_resumption(item: Any) -> bool:
    """Return whether a message that is given to a transport resumes what was sent before."""
    is_request = getattr(getattr(item.message, "root", item.message), "id", None) is not None
    return is_request and bool(getattr(item.metadata, "resumption_token", None))
