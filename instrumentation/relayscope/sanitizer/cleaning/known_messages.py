"""Long JSON-RPC messages that were searched, known again when a relay sends them on.

A relay sends what it has received with another id: half of what it costs to look into large results
goes for texts that were looked into a moment ago.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from relayscope.sanitizer.findings import Finding

_HEAD: Final = re.compile(
    r'\{"jsonrpc": ?"2\.0", ?"id": ?[0-9]{1,9}, ?(?="(?:result|error|method|params)")'
)
"""The part that may differ: a number is no secret for any rule, and it is an attribute anyway."""

_BEGINNING: Final = 512
"""Characters behind the id that are looked into again: a user's pattern may hold the id."""

LONG: Final = 16 * 1024
"""Characters beyond which a text is a long one, that `Sanitizer.is_dear` looks into."""

_MOST: Final = 256
_FINDINGS: Final = 64
"""Messages remembered, beyond which the memory starts afresh; and findings of one that is. Kept are
a digest of 32 bytes and the places of secrets with their markers, and no text that somebody could
find in the memory of a host later."""


class KnownMessages:
    """Knows messages again. Only one thread may use it at a time."""

    def __init__(self, is_clean: Callable[[str], bool]) -> None:
        """Remember nothing yet.

        Args:
            is_clean: True if there can be no secret in a text.
        """
        self._is_clean = is_clean
        self._found: dict[bytes, tuple[Finding, ...]] = {}

    def findings(self, text: str, digest: bytes | None) -> list[Finding] | None:
        """Return the secrets of a text that is as one that was remembered, but for its id.

        Args:
            text: The text.
            digest: As `digest_without_id` gives it.

        Returns:
            None if there was no such text.
        """
        found = self._found.get(digest) if digest else None
        head = _HEAD.match(text) if found is not None else None
        if found is None or head is None or not self._is_clean(text[: head.end() + _BEGINNING]):
            return None
        return _moved(found, head.end())

    def remember(self, text: str, digest: bytes | None, findings: Sequence[Finding]) -> None:
        """Remember the secrets of a text."""
        head = _HEAD.match(text) if digest else None
        if digest is None or head is None or len(findings) > _FINDINGS:
            return
        if any(each.start < head.end() for each in findings):
            # It is all of the text, or has to do with the id.
            return
        if len(self._found) >= _MOST:
            self._found.clear()
        self._found[digest] = tuple(_moved(findings, -head.end()))


def _moved(findings: Iterable[Finding], by: int) -> list[Finding]:
    return [each.moved(each.start + by, each.end + by, each.replacement) for each in findings]


def digest_without_id(text: str) -> bytes | None:
    """Return the SHA-256 of what is behind a long message's id; None of any other text."""
    head = _HEAD.match(text) if len(text) > LONG else None
    if head is None:
        return None
    return hashlib.sha256(text[head.end() :].encode("utf-8", "surrogatepass")).digest()
