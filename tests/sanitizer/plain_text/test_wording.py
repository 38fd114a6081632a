"""Values that words lead up to, and what stands on other lines."""

import pytest

from relayscope.sanitizer import Sanitizer
from tests.sanitizer.replacing import SECRETS, assert_secret_goes

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
        "Wi-Fi password for the office: SECRET",
        "default login anonymous password SECRET",
        '{:user "bob" :password "SECRET"}',
        "- value: SECRET\n  name: API_KEY",
        '  - value: "SECRET"\n    name: DB_PASSWORD\n',
        "-storepass SECRET",
        "- name: DB_PASSWORD\n  value: SECRET",
        '- name: "DB_PASSWORD"\n  value: "SECRET"',
        "{name: DB_PASSWORD, value: SECRET}",
        'form-data; name="password"\n\nSECRET\n--b',
        'Content-Disposition: form-data; name="password"\nContent-Type: text/plain\n\nSECRET\n--b',
    ],
)
@pytest.mark.parametrize("secret", SECRETS)
def test_a_value_that_words_lead_up_to_is_found(text: str, secret: str) -> None:
    """Options, sentences, commands and netrc say a secret, too."""
    assert_secret_goes(SANITIZER, text, secret)


@pytest.mark.parametrize(
    "text",
    [
        "log in with bob / password SECRET and check",
        "Use API key SECRET for the sandbox.",
        "<p>Your password is <strong>SECRET</strong></p>",
        "Your temporary password:\nSECRET\n",
        "Password:\n\nSECRET\n\nUser: bob",
        "## Token\n\nSECRET\n",
        "password => SECRET",
        "Password \u2192 SECRET",
        "password was changed from SECRET to SECRET.",
    ],
)
@pytest.mark.parametrize("secret", ["vQ9!rT2xLm", "k3y77c0e1b24d58a6f0"])
def test_a_random_word_beside_a_name_is_found(text: str, secret: str) -> None:
    """No sentence has a word that changes so often between letters and digits."""
    assert_secret_goes(SANITIZER, text, secret)


@pytest.mark.parametrize(
    "text",
    [
        "Your verification code is SECRET.",
        "Enter verification code SECRET to continue.",
        "SECRET is your verification code.",
        "SECRET is your Google verification code",
        "Your one time password is SECRET. It expires in 5 minutes.",
    ],
)
def test_a_code_of_digits_is_found(text: str) -> None:
    """In the words that messages have for it."""
    assert_secret_goes(SANITIZER, text, "482913")


@pytest.mark.parametrize(
    "text",
    [
        "Token: see RFC 6750.",
        "Credentials: ask Bob.",
        "API keys: managed under Settings.",
        "Cookies: essential only.",
        "The token is 4096 bits long.",
        "The PIN is 4821 or 4822",
        "Verification code: sent by SMS",
        "the login token sha256 digest is checked",
        "API key v2 replaces v1.",
        "The password is stored as a bcrypt hash.",
        "## Token\n\nSee below.\n",
    ],
)
def test_what_is_said_about_a_secret_is_left_alone(text: str) -> None:
    """Sentences say where it is, or how it has to be."""
    assert SANITIZER.text(text) is text
