"""The time after which a call counts as never to be answered, as the environment has it."""

import os
from typing import Final

from relayscope.conventions.environment import RELAYSCOPE_CALL_SECONDS

CALL_SECONDS: Final = 3600.0
"""Longer than people wait for a tool."""


def call_seconds() -> float:
    """Return the seconds that the environment asks for.

    Raises:
        ValueError: It says something else than a number.
    """
    chosen = os.environ.get(RELAYSCOPE_CALL_SECONDS) or CALL_SECONDS
    try:
        return float(chosen)
    except ValueError:
        raise ValueError(f"{RELAYSCOPE_CALL_SECONDS} is {chosen!r}; give a number.") from None
