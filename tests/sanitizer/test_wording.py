"""Values that words lead up to, and what stands on other lines."""

import pytest

from relayscope.sanitizer import Sanitizer
from tests.sanitizer.samples import CANARY

SANITIZER = Sanitizer.default()


@pytest.mark.parametrize(
    "text",
    [
        "Your new password is: SECRET",
        "run --password SECRET --v",
        "machine h login bob password SECRET",
        "machine h\n  login bob\n  password SECRET\n",
        "setenv API_KEY SECRET",
        "ENV DB_PASSWORD SECRET",
        "set -gx API_KEY SECRET",
        "API key (production): SECRET",
        "password for bob: SECRET",
        "-storepass SECRET",
        "- name: DB_PASSWORD\n  value: SECRET",
        '- name: "DB_PASSWORD"\n  value: "SECRET"',
        "{name: DB_PASSWORD, value: SECRET}",
        'form-data; name="password"\n\nSECRET\n--b',
        'Content-Disposition: form-data; name="password"\nContent-Type: text/plain\n\nSECRET\n--b',
    ],
)
@pytest.mark.parametrize("secret", ["hunter2", CANARY, "Xy7!kk9#pQ"])
def test_a_value_that_words_lead_up_to_is_found(text: str, secret: str) -> None:
    """Options, sentences, commands and netrc say a secret, too."""
    marked = text.replace("SECRET", secret)
    cleaned = SANITIZER.text(marked)
    assert secret not in cleaned
    assert cleaned.split("[REDACTED")[0] == marked[: len(cleaned.split("[REDACTED")[0])]
    assert SANITIZER.text(cleaned) == cleaned
