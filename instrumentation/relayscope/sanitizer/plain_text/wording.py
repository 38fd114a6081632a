"""Values that words or blanks lead up to: sentences, `--password X`, `ENV PASSWORD X`, netrc."""

import re
from typing import Final

from relayscope.sanitizer.values import expression, extents, harmless
from relayscope.sanitizer.values.page import Mention, Page, Pair

from .assignment import assigned
from .markup import attribute, element
from .sentence import announced, random_word, said, set_to

# `password nvarchar(50) = N'X'`, `password string = "X"`
_TYPED = re.compile(
    r"(?:As[ ])?[A-Za-z_][\w.]{0,40}+(?:\([\w, ]{0,16}\))?(?:\[\])?[ \t]++:?=[ \t]++(?=N?[\"'`])"
)
_KIND: Final = "(?:[057]|REG_[A-Z_]{2,12})"
"""The form of a value, before it, in the configuration of Cisco's devices and Windows' registry."""
_LONE = re.compile(
    rf"(?P<kind>{_KIND}[ \t]++)?"
    r"([^\s\"'`<>]{4,256}+|[\"'][^\s\"']{4,256}+[\"'])[ \t]*+;?(?:\s*\Z|[ \t]*+\r?\n)"
)
_QUOTED_REST = re.compile(r"[^\"'\\\n:=,<>|\ue000]{1,64}+([\"'])(?=[ \t]*+:)")

_COMMANDS: Final = ("ENV ", "setenv ", "SetEnv ", "set -gx ", "set -x ", "set -Ux ", "setx ")
_DEFINING: Final = ("#define ", "(setq ", "(def ", "(defvar ")
"""Beginnings of a definition with a literal in C and Lisp."""

_DASHED = re.compile(r"[-\u2013\u2192\u279c\u21d2][ \t]++([^\s\"'`<>]{6,256}+)[ \t]*+(?:\r?\n|\Z)")
_LOGIN = re.compile(r"(?:login|account)[ \t\n]+[^\s]+\s+\Z")
_DIRECTIVES: Final = frozenset(
    {"requirepass", "masterauth", "bindpw", "rootpw", "AuthLDAPBindPassword", "insecure-password"}
)
"""Directives that set a password in the configuration of servers, also to a plain word."""
_HEADER = re.compile(
    r"\n?[ \t]*+(?:\w{2,16}_(?:header|param)|(?:Request|Response)?Header[ ](?:set|add|append)"
    r"|http-re(?:quest|sponse)[ ](?:set|add)-header)[ \t]+\Z"
)
"""Directives that set a header in the configuration of nginx, Apache and HAProxy."""

_HELPING: Final = frozenset(
    {
        "can",
        "to",
        "you",
        "we",
        "must",
        "should",
        "will",
        "may",
        "not",
        "just",
        "then",
        "and",
        "please",
    }
)
"""Words before `pass` as a verb."""

_SUBSCRIPT = re.compile(
    r"\](?:\[([\"'])([\w.-]{1,64}+)\1\])?+[ \t]*+"
    r"(=>[ \t]*+(?:\r?\n[ \t]*+string\([0-9]{1,6}\)[ ])?)?"
    r"|\[\w*+\][ \t]*+"
)
"""Text behind a name in brackets: `[password] => X`, `env['PASSWORD'] = 'X'`; or in C:
`password[] = "x"`."""


_IN_HASH = re.compile(r"\}[ \t]*+(?==[ \t]*+[\"'])")
_LEAD = re.compile(
    r"(?:for|f\u00fcr|para|pour|is|was|are|will|has|set|reset|changed|to|ist|lautet|es|est|\u00e8|\u00e9)"
    r"[ \t:]"
    r"|[(:\uff1a]"
    rf"|{_KIND}[ \t]"
    # A word with digits in it, or a code.
    r"|(?=[^\s0-9]{0,32}[0-9])[^\s\"'`<>()=:/\\]{4}"
    # The last word of its line; what ends in a quotation mark; the type of a variable.
    r"|[^\s<>]{4,256}+[ \t]*+;?(?:[ \t]*+\r?\n|\s*+\Z)"
    r"|[^\"'\\\n:=,<>|\ue000]{0,32}+(?:[\"'][ \t]*+:|:?=)"
)


def leads(text: str, start: int, behind: int) -> bool:
    """Return whether words could lead to a value; in prose they hardly ever can."""
    before = text[start - 1 : start]
    return (
        text[start] == "-"
        or (before != "" and before in "<:=\"'")
        or text.endswith(_COMMANDS + _DEFINING, max(0, start - 8), start)
        or _LEAD.match(text, behind) is not None
        or text.startswith("value", behind)
        or text.endswith((" is your ", " as your "), max(0, start - 9), start)
    )


def worded(page: Page, mention: Mention) -> Pair | None:
    """The value that words or blanks lead up to."""
    text, start, behind = page.text, mention.start, mention.behind
    if text[start : mention.end] == "pass" and page.word_before(start) in _HELPING:
        return None
    if text[start] == "-":
        return _option(page, mention)
    if text.endswith(_COMMANDS, max(0, start - 8), start):
        return _value(page, mention, behind)
    if text.endswith(_DEFINING, max(0, start - 8), start):
        span = extents.literal(text, behind)
        return Pair(mention.rule, *span) if span else None
    if start and text[start - 1] in "<:" and (pair := element(page, mention)):
        return pair
    return next(filter(None, (way(page, mention) for way in _WAYS)), None)


def dashed(page: Page, mention: Mention) -> Pair | None:
    """Return the value behind a dash on a line that the name begins."""
    found = _DASHED.match(page.text, mention.behind) if mention.behind > mention.end else None
    if found is None or not harmless.is_odd(found[1]) or page.indent(mention.start) is None:
        return None
    return Pair(mention.rule, *found.span(1))


def subscript(page: Page, mention: Mention) -> Pair | None:
    """The value of a name in brackets."""
    found = _SUBSCRIPT.match(page.text, mention.behind)
    if found is None:
        return None
    if found[3] is None:
        pair = assigned(page, mention._replace(behind=found.end()))
        # Of what is below it, `['password']['bob'] = 'X'`, only a random word is a secret.
        if pair and found[2] and not harmless.is_odd(page.text[pair.start : pair.end]):
            return None
        return pair
    if span := extents.literal(page.text, found.end()):
        return Pair(mention.rule, *span)
    return Pair(mention.rule, found.end(), extents.line(page.text, found.end(), "", len(page.text)))


def in_hash(page: Page, mention: Mention) -> Pair | None:
    """The literal that an entry of a hash is set to in Perl: `$config->{password} = "X"`."""
    found = _IN_HASH.match(page.text, mention.behind)
    return assigned(page, mention._replace(behind=found.end())) if found else None


def _option(page: Page, mention: Mention) -> Pair | None:
    text, at = page.text, mention.behind
    rule = page.names.option(text[mention.start : mention.end])
    if rule is None or text.startswith("-", at) or text[mention.end] not in " \t":
        return None
    if span := extents.literal(text, at):
        return Pair(rule, *span)
    end = extents.run(text, at)
    value = text[at:end]
    rest = page.rest_of_line(end)[:40]
    if value.isupper() or (harmless.is_prose(value + rest) and not harmless.is_odd(value)):
        return None
    if text.endswith("-id", mention.start, mention.end) and not harmless.is_odd(value):
        # The name of a secret in a store.
        return None
    return Pair(rule, at, end)


def _keyword(page: Page, mention: Mention) -> Pair | None:
    """The literal behind a keyword of Lisp, Clojure or EDN: `:password "X"`."""
    text, start = page.text, mention.start
    if text[start - 1 : start] != ":" or text[mention.behind : mention.behind + 1] != '"':
        return None
    span = extents.literal(text, mention.behind)
    return Pair(mention.rule, *span) if span else None


def _lone(page: Page, mention: Mention) -> Pair | None:
    """`password X` on a line of its own, as in netrc and the configuration of servers."""
    text = page.text
    found = _LONE.match(text, mention.behind)
    if found is None:
        return None
    start, end = found.span(2)
    if text[start] in "\"'":
        start, end = start + 1, end - 1
    if expression.is_call(text[start:end]) or harmless.is_type_of_go(text[start:end]):
        return None
    before = text[max(0, mention.start - 160) : mention.start]
    is_odd = harmless.is_odd(text[start:end])
    if found["kind"] and (is_odd or len(found["kind"].strip()) > 1):
        return Pair(mention.rule, start, end)
    is_setting = text[mention.start : mention.end] in _DIRECTIVES
    if is_setting or (is_odd and _HEADER.search(before)):
        return Pair(mention.rule, start, end)
    in_netrc = ("machine" in before or "default" in before) and _LOGIN.search(before)
    if in_netrc or (is_odd and page.indent(mention.start) is not None):
        return Pair(mention.rule, start, end)
    return None


def _rest(page: Page, mention: Mention) -> Pair | None:
    text = page.text
    if found := _QUOTED_REST.match(text, mention.behind):
        return assigned(page, mention._replace(end=found.start(1), behind=found.end()))
    if found := _TYPED.match(text, mention.behind):
        span = extents.literal(text, found.end())
        return Pair(mention.rule, *span) if span else None
    return None


def _value(page: Page, mention: Mention, at: int) -> Pair | None:
    span = extents.literal(page.text, at) or (at, extents.lone_run(page.text, at))
    return Pair(mention.rule, *span)


_WAYS: Final = (attribute, said, set_to, _keyword, _lone, random_word, _rest, announced)
"""The first that finds a value has the word."""
