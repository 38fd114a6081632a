"""Tells what reads like an assignment and is none: roles, comparisons, verdicts of tests."""

import re
from typing import Final

from relayscope.sanitizer.values import harmless
from relayscope.sanitizer.values.page import Mention, Page

_PASSED: Final = "PASS"
_COUNTED: Final = "--- "
# The name of a test, with what most have: a path, the word, how long it took.
_TEST = re.compile(
    r"(?:[Tt]ests?\b|[Tt]est[A-Z_]\S*|[A-Za-z_.-]+(?:/(?:[A-Za-z_.-]+|[0-9]{1,3}))+)(?=[\s:]|\Z)"
    r"|[^\n]{1,256}(?: ::|[ ]\([0-9.]+ ?m?s\))"
)
_COMPARING: Final = ("== ", "!= ", "==", "!=", "-> ")
_QUOTES: Final = frozenset("\"'")
_BACKTICK: Final = "`"
_LONGEST: Final = 4
_MNEMONIC: Final = "mnemonic"
_WORDS = re.compile(r"[ \t,]+")


def of_colon(page: Page, mention: Mention, at: int) -> bool:
    """Return whether the colon before a place stands for something else than an assignment."""
    if page.text[mention.end] in _QUOTES:
        return _is_role(page, mention, at) or _is_compared(page, mention)
    return (
        _is_role(page, mention, at)
        or _is_memory_aid(page, mention, at)
        or _is_verdict(page, mention, at)
    )


def is_member(page: Page, mention: Mention, at: int) -> bool:
    """Return whether a harmless member of an object is assigned: `token.start = 1`."""
    last = page.text[mention.start : mention.end].rpartition(".")
    return bool(last[0]) and page.is_code(at) and page.names.rule(last[2]) is None


def _is_role(page: Page, mention: Mention, at: int) -> bool:
    """Return whether the colon before a place is part of a role, as in reStructuredText and Vue.

    It begins one in `pass :data:`, and ends one in :token:`x`.
    """
    text = page.text
    quoted = text[mention.end] in _QUOTES
    if text[at - 1] != ":":
        return False
    if mention.behind > mention.end + quoted:
        return text[at : at + 1] != '"'
    return text[mention.start - 1 : mention.start] == ":" and text[at : at + 1] == _BACKTICK


def _is_compared(page: Page, mention: Mention) -> bool:
    """Return whether a quoted name is what something is compared with: `if kind == "token":`.

    Or the type that a function returns: `-> "Token":`.
    """
    return page.text.endswith(_COMPARING, max(0, mention.start - _LONGEST), mention.start - 1)


def _is_memory_aid(page: Page, mention: Mention, at: int) -> bool:
    """Return whether a mnemonic is one for a command, and no recovery phrase, which is longer."""
    text = page.text
    if text[mention.start : mention.end].lower() != _MNEMONIC:
        return False
    words = _WORDS.split(page.rest_of_line(at))
    return len(words) < harmless.RECOVERY_PHRASE and not any(map(harmless.is_odd, words))


def _is_verdict(page: Page, mention: Mention, at: int) -> bool:
    """Return whether a test has passed: `PASS: tests/login.sh`, `--- PASS: TestLogin (0.02s)`."""
    text, start = page.text, mention.start
    if text[start : mention.end] != _PASSED:
        return False
    return text.endswith(_COUNTED, 0, start) or _TEST.match(text, at) is not None
