"""Frames between a receiver and its decoding process: pickles, each behind its length."""

from __future__ import annotations

import pickle
from typing import Any, Final

LENGTH: Final = 8


def packed(what: object) -> bytes:
    """A frame."""
    pickled = pickle.dumps(what, pickle.HIGHEST_PROTOCOL)
    return len(pickled).to_bytes(LENGTH) + pickled


def unpacked(pickled: bytes) -> Any:
    """The content of a frame, which only the two of them can have written."""
    return pickle.loads(pickled)  # noqa: S301 - through a pipe to our own process
