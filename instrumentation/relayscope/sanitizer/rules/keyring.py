"""Keyed hashes: the same secret gives the same tag, and a tag does not give the secret.

An unkeyed hash of a short secret can be reversed by trying all of them, so the keys are secrets
themselves. A tag names its key: after a rotation old tags can still be told apart and recomputed.
"""

import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

SHORTEST_KEY: Final = 16
"""Characters. Below it, a key could be guessed as easily as the secrets it protects."""

_TAG_BYTES: Final = 8
"""64 bits: two secrets among a million share a tag with a probability of 1 in 37 million."""


@dataclass(frozen=True, slots=True)
class HashKey:
    """One key.

    Attributes:
        id: letters, digits, `_` and `-`, at most 32; stands in every tag.
        key: the secret bytes, never shown.

    Raises:
        ValueError: the id or the key is not of that form; the message never holds the key.
    """

    id: str
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,32}", self.id):
            raise ValueError("an id is 1 to 32 letters, digits, '_' or '-'")
        if len(self.key) < SHORTEST_KEY:
            raise ValueError(f"a key needs at least {SHORTEST_KEY} characters")

    def tag(self, secret: str) -> str:
        """`id.hex`, 16 hex digits."""
        digest = hmac.digest(self.key, secret.encode("utf-8", "surrogatepass"), "sha256")
        return f"{self.id}.{digest[:_TAG_BYTES].hex()}"


class Keyring:
    """The key that makes tags, and the ones that made them before."""

    def __init__(self, keys: Iterable[HashKey]) -> None:
        self._keys = tuple(keys)
        if not self._keys:
            raise ValueError("at least one key is needed")
        if len({key.id for key in self._keys}) < len(self._keys):
            raise ValueError("two keys have the same id")

    @classmethod
    def ephemeral(cls) -> "Keyring":
        """One random key: tags can be compared within this process, and nowhere else."""
        return cls([HashKey(f"run-{secrets.token_hex(3)}", secrets.token_bytes(32))])

    @classmethod
    def from_file(cls, path: Path) -> "Keyring":
        """Keys from a file: a line `ID KEY` each, the current one first, `#` for comments.

        Raises:
            OSError: the file cannot be read.
            ValueError: a line is not of that form; the message names it by number.
        """
        keys = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            name, _, key = line.strip().partition(" ")
            try:
                keys.append(HashKey(name, key.strip().encode()))
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None
        return cls(keys)

    def tag(self, secret: str) -> str:
        """The secret's tag under the current key."""
        return self._keys[0].tag(secret)

    def tags(self, secret: str) -> tuple[str, ...]:
        """Return its tags under every key, current first, to search for after a rotation."""
        return tuple(key.tag(secret) for key in self._keys)
