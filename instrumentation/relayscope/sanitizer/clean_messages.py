"""Long JSON-RPC messages in which there was no secret, known again when a relay sends them on.

A relay sends what it has received with another id: half of what it costs to look into large results
goes for texts that were looked into a moment ago.
"""

import hashlib
import re
from collections.abc import Callable
from typing import Final

_HEAD: Final = re.compile(
    r'\{"jsonrpc": ?"2\.0", ?"id": ?[0-9]{1,9}, ?(?="(?:result|error|method|params)")'
)
"""The part that may differ: a number is no secret for any rule, and it is an attribute anyway."""

_BEGINNING: Final = 512
"""Characters behind the id that are looked into again: a user's pattern may hold the id."""

LONG: Final = 16 * 1024
"""Characters beyond which a text is a long one, that `Sanitizer.is_dear` looks into."""

_MOST: Final = 256
"""Messages remembered; beyond this the set starts afresh. Each is a digest of 32 bytes: no text is
kept that somebody could find in the memory of a host later."""


class CleanMessages:
    """Knows messages again. Only one thread may use it at a time."""

    def __init__(self, is_clean: Callable[[str], bool]) -> None:
        """Remember nothing yet.

        Args:
            is_clean: True if there can be no secret in a text.
        """
        self._is_clean = is_clean
        self._digests: set[bytes] = set()

    def knows(self, text: str, digest: bytes | None) -> bool:
        """Return whether a text is as one that was remembered, but for its id.

        Args:
            text: The text.
            digest: As `digest_without_id` gives it.
        """
        head = _HEAD.match(text) if digest in self._digests else None
        return head is not None and self._is_clean(text[: head.end() + _BEGINNING])

    def remember(self, digest: bytes | None) -> None:
        """Remember a text in which there is no secret, by its digest."""
        if digest is None:
            return
        if len(self._digests) >= _MOST:
            self._digests.clear()
        self._digests.add(digest)


def digest_without_id(text: str) -> bytes | None:
    """Return the SHA-256 of what is behind a long message's id; None of any other text.

    Raises:
        UnicodeEncodeError: the text has a lone surrogate.
    """
    head = _HEAD.match(text) if len(text) > LONG else None
    return hashlib.sha256(text[head.end() :].encode()).digest() if head else None
