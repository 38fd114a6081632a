"""The one sanitizer of this process: building it takes time and memory."""

import functools
import os
from typing import Final

from relayscope.sanitizer import Rules, Sanitizer

KEEP_BINARY_VARIABLE: Final = "RELAYSCOPE_KEEP_BINARY"
"""Set to true, 1, yes or on, it keeps the base64 of images, audio and blobs. Without it type, size
and digest are kept. The collector has a setting of the same name."""

_YES: Final = frozenset({"1", "on", "true", "yes"})


@functools.cache
def shared_sanitizer() -> Sanitizer:
    """Return this process's sanitizer."""
    rules = Rules.default()
    if os.environ.get(KEEP_BINARY_VARIABLE, "").strip().lower() in _YES:
        rules = rules.keeping_binary()
    return Sanitizer.from_rules(rules)
