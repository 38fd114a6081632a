"""Failures of decoding that are no fault of the request."""

from __future__ import annotations

from relayscope.collector.errors import Unavailable


class DecodingEnded(Unavailable):
    """The process that decodes has ended in the middle of a request; another takes its place."""
