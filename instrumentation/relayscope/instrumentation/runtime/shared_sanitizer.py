"""The one sanitizer of this process: building it takes time and memory."""

import functools
import os
from typing import Final

from relayscope.conventions.environment import RELAYSCOPE_KEEP_BINARY
from relayscope.sanitizer import Rules, Sanitizer

from .making import hold_back_forks

_YES: Final = frozenset({"1", "on", "true", "yes"})


@functools.cache
def shared_sanitizer() -> Sanitizer:
    """Return this process's sanitizer."""
    hold_back_forks()
    rules = Rules.default()
    if os.environ.get(RELAYSCOPE_KEEP_BINARY, "").strip().lower() in _YES:
        rules = rules.keeping_binary()
    return Sanitizer.from_rules(rules)
