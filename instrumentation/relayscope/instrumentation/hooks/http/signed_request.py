"""Requests whose head says something of their body that a changed body would make false.

Signatures (AWS's SigV4, RFC 9421, webhooks' HMAC) and digests (RFC 9530, `Content-MD5`).
"""

import re
from collections.abc import Iterable
from typing import Final

_NAME: Final = re.compile(
    r"(?:^|[_-])(?:digest|hash|hmac|md5|sha[_-]?(?:1|256|384|512)|sig|signature)(?:$|[_-])",
    re.IGNORECASE,
)
_CREDENTIALS: Final = re.compile(r"(?:aws4-|hmac|signature)", re.IGNORECASE)


def is_signed(headers: Iterable[tuple[str, str]]) -> bool:
    """Return whether a request with these headers has to be sent as it is."""
    return any(
        _NAME.search(name) or (name.lower() == "authorization" and _CREDENTIALS.match(value))
        for name, value in headers
    )
