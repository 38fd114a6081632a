"""Values in sentences: `Your password is: X`, `log in with password X`."""

import re
from typing import Final

from relayscope.sanitizer.values import extents, harmless
from relayscope.sanitizer.values.page import LINE, Mention, Page, Pair

_IS: Final = (
    r"(?:(?:is|was)[ ]generated[ ]for[ ][\w.@'-]{1,64}(?=:)"
    r"|(?:is|was|are)(?:[ ]changed[ ]from)?|will[ ]be|is[ ]now"
    r"|has[ ]been[ ](?:set|changed|reset)[ ]to"
    r"|(?:re)?set[ ]to|changed[ ]to|to(?=[ ][\"'`])|ist|lautet|es|est|\u00e8|\u00e9)\b[ \t]*+"
    r"|[\u662f\u4e3a\u70ba\u306f][ \t]*+"
)
_COLON: Final = r"[:\uff1a][ \t]++"
_BEHIND = re.compile(
    # `is X`, `for the old bob is: X`
    r"(?:(?:for|f\u00fcr|para|pour)(?:[ \t]++[\w.@'\"-]{1,40}+){1,3}?[ \t]*+"
    r"|\([^()\n]{1,40}\)[ \t]*+)?"
    rf"(?:(?P<is>{_IS})(?:{_COLON})?|{_COLON})"
    r"(?:<[a-z]{1,6}(?:[ ][^<>\n]{0,64})?>)?"
    # The user, in `credentials: bob / X`.
    r"(?:[\w.@-]{1,40}[ ][/|][ ])?"
    r"(?P<value>[\"'`]|[^\s\"'`<]{4,256}+)"
)

_RANDOM_WORD = re.compile(r"[^\s\"'`<>()=:/\\]{8,256}+(?=[\s\"'`<)]|\Z)")
_CODE = re.compile(r"[0-9]{4,8}\b(?![.-]?[0-9])")
_COUNTED: Final = "password"
_CODES: Final = ("code", "pin", "otp", _COUNTED)
_UNIT = re.compile(
    r"[ ](?:char|byte|bit|digit|letter|second|minute|hour|day|token|long|time|of|or|and[ ][0-9])"
)
_CHANGED = re.compile(r"[ ]to[ ]([^\s\"'`<]{6,256}+)")
_ANNOUNCED = re.compile(
    r"\b([0-9]{4,8}|[0-9]{3}[- ][0-9]{3})\*{0,2} (?:is|as) (?:your|the)(?: [\w-]{1,24})? \Z"
)
_SET_TO = re.compile(r"to[ ]([^\s\"'`<>]{6,256}+)(?=[\s<]|\Z)")
_SETTING = re.compile(r"\b(?i:set|changed|reset|updated|rotated)\b[^.:;\n]{0,40}+\Z")
_USER = re.compile(r"\b(?i:user(?:name)?|login)[ :]{1,2}\S{1,64}+,?[ ](?:and|with)[ ](?:the[ ])?\Z")
_BEFORE: Final = 64

_FEW: Final = 2
"""Blanks in a phrase that is a secret as a whole, at least."""

_TRAILING: Final = ".,!?;:"


def said(page: Page, mention: Mention) -> Pair | None:
    """Return the value that a sentence gives: `the password is hunter2`."""
    text = page.text
    found = _BEHIND.match(text, mention.behind)
    if found is None:
        return None
    at = found.start("value")
    if span := extents.literal(text, at):
        value = text[span[0] : min(span[1], span[0] + LINE)]
        is_certain = found["is"] != "to " or harmless.is_odd(value)
        is_secret = _is_phrase(value) if " " in value else value and is_certain
        return Pair(mention.rule, *span) if is_secret else None
    end = _end(page, found)
    return Pair(mention.rule, at, end) if end else None


def _end(page: Page, found: re.Match[str]) -> int | None:
    """Return the end of the word that a sentence gives as the value; None if it is no value."""
    text, at = page.text, found.start("value")
    value = found["value"].rstrip(_TRAILING)
    has_colon = text[found.start() : at].rstrip().endswith((":", "\uff1a"))
    alone = has_colon and text[found.end() : found.end() + 1] in {"", "\n", "\r"}
    end = at + len(value)
    if _CODE.fullmatch(value) and not _UNIT.match(text, end):
        return end
    if harmless.is_odd(value) or (alone and not page.is_code(at)):
        if changed := found["is"] and "from" in found["is"] and _CHANGED.match(text, end):
            end = changed.end() - len(changed[1]) + len(changed[1].rstrip(_TRAILING))
        return end
    return None


def _is_phrase(value: str) -> bool:
    return (
        value.count(" ") >= _FEW and not harmless.is_prose(value) and not harmless.is_label(value)
    )


def announced(page: Page, mention: Mention) -> Pair | None:
    """The code that stands before its name: `482913 is your verification code`."""
    found = _ANNOUNCED.search(page.text, max(0, mention.start - _BEFORE), mention.start)
    return Pair(mention.rule, *found.span(1)) if found else None


def set_to(page: Page, mention: Mention) -> Pair | None:
    """Return what somebody says a secret was set to: `I've set the password to X`."""
    text, start = page.text, mention.start
    found = _SET_TO.match(text, mention.behind) if mention.behind > mention.end else None
    if found is None or not _SETTING.search(text, max(0, start - _BEFORE), start):
        return None
    value = found[1].rstrip(_TRAILING)
    begin = found.start(1)
    return Pair(mention.rule, begin, begin + len(value)) if harmless.is_odd(value) else None


def random_word(page: Page, mention: Mention) -> Pair | None:
    """Return a word behind the name that no sentence has: `password vQ9!rT2xLm`, `code 482913`."""
    text, at = page.text, mention.behind
    if mention.behind == mention.end:
        return None
    name = text[mention.start : mention.end].lower()
    if name.endswith(_CODES) and (code := _CODE.match(text, at)):
        if name.endswith(_COUNTED) and (at > mention.end + 1 or text[mention.start - 1] == "/"):
            # A number of them, in a column; or permissions behind a path.
            return None
        return None if _UNIT.match(text, code.end()) else Pair(mention.rule, *code.span())
    found = _RANDOM_WORD.match(text, at)
    value = found[0].rstrip(_TRAILING) if found else ""
    is_secret = harmless.is_random(value) or (
        harmless.is_odd(value)
        and _USER.search(text, max(0, mention.start - _BEFORE), mention.start) is not None
    )
    return Pair(mention.rule, at, at + len(value)) if is_secret else None
