"""The one sanitizer of this process: building it takes time and memory."""

import functools

from relayscope.sanitizer import Sanitizer


@functools.cache
def shared_sanitizer() -> Sanitizer:
    """Return this process's sanitizer."""
    return Sanitizer.default()
