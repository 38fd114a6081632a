"""Literals in an expression that are the secret: `os.environ.get("X") or "hunter2"`."""

import re
from typing import Final

from relayscope.sanitizer.model import KeyRule

from . import extents, harmless
from .page import LINE, Page, Pair

# The default of an expression: `os.environ.get("X") or "hunter2"`.
_DEFAULT = re.compile(r"""(?:\bor\b|\|\||\?\?|\?:)[ \t]*+(?=[bru]?["'`])""")
# PowerShell's way to make a secret of a text.
_SECURED = re.compile(r"\(?ConvertTo-SecureString[ ](?:-String[ ])?(?=[\"'](?!\$))")
USER_AND_PASSWORD = re.compile(
    r"\(\s*+(?:[^(),\n]|\([^()\n]{0,64}+\)){1,64}+,\s*+(?=[bru]?[\"'A-Za-z_])"
)
AUTH: Final = r"[\w.]{0,64}Auth(?=\()"
"""A call that makes something of a user and a password: `httpx.BasicAuth("bob", "x")`."""
_AUTH = re.compile(AUTH)


def default(page: Page, rule: KeyRule, at: int) -> Pair | None:
    """Return the literal that is the value of an expression, or stands for one that is missing."""
    if (made := _AUTH.match(page.text, at)) and (
        found := USER_AND_PASSWORD.match(page.text, made.end())
    ):
        return second(page, rule, found.end())
    line = page.rest_of_line(at)
    found = _SECURED.search(line) or _DEFAULT.search(line)
    span = found and extents.literal(line, found.end())
    if not span or harmless.is_label(line[slice(*span)]):
        return None
    return Pair(rule, at + span[0], at + span[1])


def second(page: Page, rule: KeyRule, at: int) -> Pair | None:
    """The password in `(user, password)`."""
    text = page.text
    span = extents.literal(text, at)
    if not span or not text[span[1] + 1 : span[1] + 3].lstrip().startswith(")"):
        return None
    value = text[span[0] : min(span[1], span[0] + LINE)]
    return Pair(rule, *span) if page.names.rule(value) is None else None
