"""Finds the values of sensitive names in text that is no JSON: headers, queries, options, logs.

Here no grammar says where a value ends, so when in doubt it is longer. Every search moves on from
where it has been, so the time is in proportion to the text.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, NamedTuple

from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.names import Names

_Match = re.Match[str]

_ASSIGNED = re.compile(
    # A name, perhaps quoted, perhaps with a word before it (`API key`), and what assigns to it.
    r"(?<![\w.$%-])(?:([A-Za-z]++)[ ])?([\w.$%-]++)"
    r"""(["'`]?)([ \t]*+)(?::=|=>|==?|:)([ \t]*+)"""
)
_QUOTED_NAME = re.compile(
    # JSON as people write it, comments and all.
    r'"((?:[^"\\\r\n]|\\.){1,256})"\s*+:\s*+(?:/\*(?:[^*]|\*(?!/))*+\*/\s*+|//[^\n]*+\n\s*+)*+'
)
# A pair as Python prints it: `('cookie', 'a=b')`, `(b'cookie', b'a=b')`.
_TUPLE = re.compile(r"""\(b?(["'])((?:(?!\1)[^\\\r\n]){1,256})\1,\s*+(?=b?["'])""")
_NAMED_VALUE = re.compile(
    r"""["'](?:name|key)["']\s*+:\s*+["']([^"'\\]*+)["']\s*+,\s*+["']value["']\s*+:\s*+"""
)
# The same as attributes of XML or HTML, or as words: `<input name="token" value="x">`.
_ATTRIBUTES = re.compile(
    r"""\b(?:name|key)=["']?([\w.$-]{1,128})["']?[ \t][^<>\r\n]{0,128}?\bvalue="""
)
_OPTION = re.compile(r"(?<![\w-])(--?[A-Za-z][\w.-]*+)[ \t]++(?!-)")
_ELEMENT = re.compile(r"<([A-Za-z_][\w:.-]*+)(?:\s[^<>]*+)?>(?=[^<])")

_LINE_START = re.compile(r"(?:[ \t]|[-*+>#][ \t]|(?:export|set|SET)[ \t])*+")
_INDENT: Final = 64
"""Characters. A name further in does not start its line."""

_QUOTED = re.compile(r"""[bBfFrRuU]{0,2}(["'`])((?:(?!\1)[^\\]|\\.)*+)\1?""", re.DOTALL)
# Python's way to print an object: `SecretStr('x')`.
_CALL = re.compile(r"""[\w.]{1,64}\([bBfFrRuU]{0,2}["'](?:[^"'\\]|\\.)*+["']?\)?""", re.DOTALL)
# More of a value right behind a quoted part of it: `"""x"""`, `"a"'b'`, `'a'b`.
_MORE = re.compile(
    r"""(?=[\w"'])(?:"(?:[^"\\]|\\.)*+"?|'(?:[^'\\]|\\.)*+'?|[^\s"'<>`&,;)\]}\\]++)++""", re.DOTALL
)
_BARE = re.compile(
    r"""(?:[^\s"'<>`&,;)\]}\\$]++|\$(?:\{[^\s{}"']*+\})?+"""
    r"""|\\(?!["'])"""
    # These end a value, unless it plainly goes on.
    r"""|[,;)\]}](?![\s"'<>`&,;)\]}\\]|\Z|[\w.-]{1,32}[=:]))++"""
)
# The lines of YAML that belong to a name: indented further, perhaps behind `|` or `>`.
_BLOCK: Final = r"(?:[|>][0-9+-]{0,2}[ \t]*)?\r?\n(?:[ \t]{%d,}[^\n]*(?:\n|\Z))+"
_LINE: Final = {quote: re.compile(rf"[^\r\n{quote}]++") for quote in ("", '"', "'", "`")}
_ELEMENT_TEXT = re.compile(r"[^<]++")
_NESTED = re.compile(r"""[^"'{}\[\]]++|"(?:[^"\\]++|\\.?)*+"?|[{}\[\]']""", re.DOTALL)


class Pair(NamedTuple):
    """A sensitive name's value.

    Attributes:
        rule: the name's rule.
        start: first character of the value, quotes left out.
        end: first character after it.
        quoted: whether the replacement needs quotes of its own, to stay a value of its kind.
    """

    rule: KeyRule
    start: int
    end: int
    quoted: bool = False


def pairs(text: str, names: Names, mentions: Iterable[tuple[int, int]]) -> Iterator[Pair]:
    """The values of sensitive names in a text."""
    # Only around mentions of such names: in most text they are rare, and these searches are slow.
    # One mention after the other, so that whoever has had enough can stop.
    positions = [0] * len(_WAYS)
    for start, end in mentions:
        gap = _GAP.match(text, end)
        behind = gap.end() if gap else end
        for index, (expression, value, around) in enumerate(_WAYS):
            position = max(positions[index], start - around)
            last = min(behind + around, len(text))
            while found := expression.search(text, position, last):
                pair = value(found, names)
                position = max(pair.end, found.end()) if pair else found.end()
                if pair and pair.start < pair.end:
                    yield pair
            positions[index] = max(position, end)


def _assigned(found: _Match, names: Names) -> Pair | None:
    before, name, quote, *spaces = found.groups()
    rule, start = names.rule(name), found.start(2)
    if before:
        together = names.rule(f"{before} {name}")
        if rule is None and not names.rule(before):
            # `API key: ...` is one only together; `my secret plan: ...` is none.
            rule, start = together, found.start()
        elif together is None:
            # `Unexpected token: ...`
            rule = None
    if rule is None:
        return None
    text, at = found.string, found.end()
    indent = _indent(text, start)
    line_start = indent is not None
    if indent is not None and (block := re.compile(_BLOCK % (indent + 1)).match(text, at)):
        return Pair(rule, at, at + len(block[0].rstrip("\r\n")))
    if quote or not (rule.whole_line or (line_start and any(spaces))):
        return _value(rule, text, at, json=bool(quote))
    around = text[start - 1 : start]
    line = _LINE.get(around, _LINE[""]).match(text, at)
    if text[at : at + 1] in _QUOTES or line is None:
        return _value(rule, text, at)
    return Pair(rule, at, line.end())


def _quoted_name(found: _Match, names: Names) -> Pair | None:
    rule = names.rule(found[1])
    return _value(rule, found.string, found.end(), json=True) if rule else None


def _tuple(found: _Match, names: Names) -> Pair | None:
    rule = names.rule(found[2])
    return _value(rule, found.string, found.end()) if rule else None


def _option(found: _Match, names: Names) -> Pair | None:
    rule = names.option(found[1])
    return _value(rule, found.string, found.end()) if rule else None


def _attribute(found: _Match, names: Names) -> Pair | None:
    rule = names.rule(found[1])
    return _value(rule, found.string, found.end()) if rule else None


def _element(found: _Match, names: Names) -> Pair | None:
    rule = names.rule(found[1])
    content = _ELEMENT_TEXT.match(found.string, found.end())
    return Pair(rule, *content.span()) if rule and content else None


class _Way(NamedTuple):
    """A way in which text assigns a value to a name.

    Attributes:
        expression: matches up to the value.
        value: what it is, if the name is sensitive.
        around: characters before and behind a mention of the name within which the expression
            matches, blanks and quotes right behind it not counted.
    """

    expression: re.Pattern[str]
    value: Callable[[_Match, Names], Pair | None]
    around: int


_WAYS: Final = (
    _Way(_ASSIGNED, _assigned, 64),
    _Way(_QUOTED_NAME, _quoted_name, 260),
    _Way(_NAMED_VALUE, _quoted_name, 64),
    _Way(_ATTRIBUTES, _attribute, 200),
    _Way(_TUPLE, _tuple, 260),
    _Way(_OPTION, _option, 64),
    _Way(_ELEMENT, _element, 260),
)

_GAP = re.compile(r"[^\w<]*+")
_QUOTES: Final = frozenset("\"'`")


def _value(rule: KeyRule, text: str, at: int, *, json: bool = False) -> Pair:
    """The value that starts at a place: a quoted one, a bracketed one, or a run without spaces."""
    if quoted := _QUOTED.match(text, at):
        if more := _MORE.match(text, quoted.end()):
            return Pair(rule, at, more.end(), quoted=json)
        return Pair(rule, *quoted.span(2))
    if text.startswith(("{", "["), at):
        return Pair(rule, at, _closing(text, at), quoted=json)
    bare = _CALL.match(text, at) or _BARE.match(text, at)
    end = bare.end() if bare else at
    # In JSON nothing can be between a name and its value: what is there belongs to it.
    more = _MORE.match(text, end) if json else None
    return Pair(rule, at, more.end() if more else end, quoted=json)


def _closing(text: str, at: int) -> int:
    """Where the bracket at a place is closed, or the end of the text."""
    depth = 0
    for token in _NESTED.finditer(text, at):
        if token[0] in {"{", "["}:
            depth += 1
        elif token[0] in {"}", "]"}:
            depth -= 1
            if depth == 0:
                return token.end()
    return len(text)


def _indent(text: str, at: int) -> int | None:
    """How far a name stands from the start of its line; None if more than blanks are before it.

    What a list, a quotation or a shell puts there counts as blanks.
    """
    start = max(0, at - _INDENT)
    line = text.rfind("\n", start, at) + 1
    if (line == 0 and start > 0) or not _LINE_START.fullmatch(text, line, at):
        return None
    return at - line
