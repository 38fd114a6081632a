"""The limit on a text that is recorded, as the environment asks for it."""

import functools
import os
from typing import Final

from relayscope.conventions.environment import RELAYSCOPE_BODY_LIMIT

DEFAULT_BODY_LIMIT: Final = 256 * 1024
"""Bytes of a message's text that are recorded, and characters of a body or of all attributes."""

MARGIN: Final = 8 * 1024
"""Dropped from the end of a cut text after it was sanitized: a secret that the cut has
halved is not recognised, and it is there. A private key of RSA-4096 has 3.3 KB."""


@functools.cache
def body_limit() -> int:
    """Return the limit that the environment asks for.

    Raises:
        ValueError: It says something else than a number.
    """
    chosen = os.environ.get(RELAYSCOPE_BODY_LIMIT) or DEFAULT_BODY_LIMIT
    try:
        return max(int(chosen), 2 * MARGIN)
    except ValueError:
        raise ValueError(
            f"{RELAYSCOPE_BODY_LIMIT} is {chosen!r}; give a number of bytes."
        ) from None
