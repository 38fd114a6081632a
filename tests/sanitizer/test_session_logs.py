"""Logs of the `mcp` SDK name a session, and its id is kept out of all of them alike."""

from relayscope.sanitizer import Sanitizer

IDENTIFIER = "2cface8e0f3b4c5d8e9fa0b1c2d3e4f5"


def test_a_session_s_id_goes_where_it_is_opened_and_where_it_is_ended() -> None:
    """The same digest takes its place, so that the two can be put together; words stay."""
    sanitizer = Sanitizer.default()

    opened = sanitizer.text(f"Created new transport with session ID: {IDENTIFIER}")
    ended = sanitizer.text(f"Terminating session: {IDENTIFIER}")

    assert IDENTIFIER not in opened + ended
    assert opened.rpartition(": ")[2] == ended.rpartition(": ")[2]
    for kept in ("Terminating session: None", "terminating session: idle for 30 minutes"):
        assert sanitizer.text(kept) == kept
