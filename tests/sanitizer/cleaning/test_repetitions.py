"""Secrets that stand again without a name."""

import json

from relayscope.sanitizer import Sanitizer

SANITIZER = Sanitizer.default()
_SECRET = "f3kQ9zLm2Xv7Tn4Wb8"


def test_a_secret_goes_wherever_it_stands_again() -> None:
    """Where it is used nothing names it, neither before nor behind its name, nor as a name."""
    text = json.dumps(
        {"use": f"open /x?v={_SECRET} now", "token": _SECRET, _SECRET: 1, "args": [_SECRET]}
    )
    marker = "[REDACTED:token]"
    assert SANITIZER.text(text) == text.replace(_SECRET, marker)


def test_a_cleaned_text_stays_as_it_is() -> None:
    """Cleaning it again, as the collector does, changes nothing."""
    cleaned = SANITIZER.text(f"token: {_SECRET}\nuse {_SECRET}\n")
    assert SANITIZER.text(cleaned) is cleaned


def test_a_longer_word_that_has_a_secret_in_it_stays() -> None:
    """It is another word."""
    assert f"x{_SECRET}" in SANITIZER.text(f"token: {_SECRET}\nuse x{_SECRET}\n")


def test_a_secret_that_could_be_a_word_goes_only_where_it_is_named() -> None:
    """A password of words is in other sentences, too."""
    text = "password: correcthorsebattery\nuse correcthorsebattery\n"
    assert SANITIZER.text(text).count("correcthorsebattery") == 1


def test_ids_of_sessions_stay_where_they_may_be_read() -> None:
    """`Mcp-Session-Id` tells which messages belong together."""
    text = f"session_id: {_SECRET}\nMcp-Session-Id: {_SECRET}\n"
    assert SANITIZER.text(text).endswith(f"Mcp-Session-Id: {_SECRET}\n")


def test_more_repetitions_than_a_text_may_take_go_with_it() -> None:
    """A text that is one secret and little else takes bounded work, and is not kept."""
    cleaned = SANITIZER.text(f"token: {_SECRET}\n" + f"{_SECRET} " * 20_000)
    assert _SECRET not in cleaned
