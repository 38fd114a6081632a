"""Texts with a secret put into them."""

from typing import Final

from relayscope.sanitizer import Sanitizer
from tests.sanitizer.samples import CANARY

SECRETS: Final = ("hunter2", CANARY, "Xy7!kk9#pQ")
"""Words as people and as programs make them."""


def assert_secret_goes(sanitizer: Sanitizer, text: str, secret: str) -> None:
    """Put a secret where a text has `SECRET`: it goes, what is before stays, and once is enough."""
    marked = text.replace("SECRET", secret)
    cleaned = sanitizer.text(marked)
    assert secret not in cleaned
    assert marked.startswith(cleaned.split("[REDACTED")[0])
    assert sanitizer.text(cleaned) == cleaned
