"""Whether the user wants to hear of what is no fault of the program's own."""

import os
from typing import Final

QUIET_VARIABLE: Final = "RELAYSCOPE_QUIET"
"""Anything but nothing and `false` keeps what relayscope says of itself off the host's stderr."""


def is_quiet() -> bool:
    """Return whether nothing of the kind is to be said."""
    return os.environ.get(QUIET_VARIABLE, "").strip().lower() not in {"", "0", "false"}
