"""The sanitizer that the settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relayscope.sanitizer import Sanitizer

if TYPE_CHECKING:
    from relayscope.collector.settings import Settings


def make_sanitizer(settings: Settings) -> Sanitizer:
    """A sanitizer with the rules of the settings' file, or with the default ones.

    Raises:
        StartError: the file cannot be used; names it and the rule.
    """
    if settings.sanitizer_rules is None:
        return Sanitizer.default()
    raise NotImplementedError
