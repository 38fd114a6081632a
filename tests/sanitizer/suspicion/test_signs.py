"""Promises about the first look at long texts."""

import pytest

from relayscope.sanitizer import Sanitizer

SANITIZER = Sanitizer.default()
WORDS = "the quick brown fox jumps over a lazy dog\n" * 400


@pytest.mark.parametrize("secret", ["password=tangerine7", "AKIA" + "Q" * 16])
@pytest.mark.parametrize("beginning", ["", "the token is sent to the server\n"])
@pytest.mark.parametrize("at", [0, 300, 600, 9000, len(WORDS)])
def test_a_secret_is_found_wherever_it_stands_in_a_long_text(
    secret: str, beginning: str, at: int
) -> None:
    """Whether the text begins with names, and is searched for them apart, or has none there."""
    text = f"{beginning}{WORDS[:at]}\n{secret}\n{WORDS[at:]}"
    assert secret.rpartition("=")[2] not in SANITIZER.text(text)
