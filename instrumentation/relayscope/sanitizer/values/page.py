"""A text while the values of sensitive names are looked for in it."""

import re
from collections import defaultdict
from itertools import chain
from string import ascii_letters
from typing import Any, Final, Literal, NamedTuple

import re2

from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.search.patterns import options

from .harmless import Kind, kind


class Pair(NamedTuple):
    """A sensitive name's value.

    Attributes:
        rule: the name's rule.
        start: first character of the value, quotes left out.
        end: first character after it.
        quoted: True if the replacement needs quotes of its own, to stay a value of its kind.
    """

    rule: KeyRule
    start: int
    end: int
    quoted: bool = False


class Mention(NamedTuple):
    """A sensitive name in a text.

    Attributes:
        rule: the name's rule.
        start: first character of the name.
        end: first character after it.
        behind: first character that is neither the name, nor a quote or blank right behind it.
    """

    rule: KeyRule
    start: int
    end: int
    behind: int


LINE: Final = 1024
"""Characters of a line that are looked at to see what kind of line it is."""

_SEEN: Final = 1024
"""Stretches of text that are remembered. One is 260 characters at most, or a name and its value."""

_INDENT: Final = 64
"""Characters. A name further in does not start its line."""

_LINE_START = re.compile(
    r"(?:[ \t]|[-*+>#;/]{1,3}[ \t]|(?:export|set|SET|local|readonly|declare|ENV|ARG)[ \t])*+"
    r"[*_\"'`]{0,3}+"
)

_CONDITION = re.compile(
    r"[ \t}]*+(?:(?:else )?if|elif|while|case|when|for (?=[^\n]* in ))[ (][^\n:]*+"
)

_ARGUMENT = re.compile(
    r"[ \t]*+(?:[\w.,\[\]]{1,48}+[ ]=|return|await|yield|raise)[ ][^\n]*?\b[a-z_]\w*\([^()\n]*+"
)
_CALL: Final = 160
"""Characters before a name in which the call begins that it is a parameter of."""

_BLOCK: Final = 2048
"""Characters that are judged together to be source code or not."""

_SIGNS_OF_CODE: Final = (
    ("return", "import ", "function", "def ", "class ", "const ", "var ", "self.", "this."),
    (" => ", "->", "::", "&&", "||", "===", "!=", "):", "){", ") {", ");", "();", "{\n", ";\n"),
    ("public ", "private ", "func ", "fn ", "if (", "if err", "#include", "elif ", "<?php"),
    ("my $", "$self", "->{", "->[", '"""', "__", "None", " == ", "[0]", ".append(", ".join("),
    (".format(", "isinstance(", "len(", "NULL", "sizeof", " *)", "await ", ".length", "raise "),
    ("except ", "else:", "#define ", "namespace "),
)
_ENOUGH: Final = 3
"""Signs. Configuration and prose have two at times: `return` and `import` are English words."""


def _signs() -> Any:
    signs = re2.Set.SearchSet(options())
    for sign in chain.from_iterable(_SIGNS_OF_CODE):
        signs.Add(re.escape(sign).replace("\\\n", r"\n"))
    signs.Compile()
    return signs


_CODE: Final = _signs()
"""All of them in one search: looking for each of 36 took 25 ns for a byte of the text, this 3."""


class Page:
    """A text and what has been found out about it, so that nothing is found out twice.

    Attributes:
        text: the text.
        names: knows which names are sensitive.
        told: position up to which each kind of table has been read.
        seen: the rule of each stretch of text that was looked at, False for none. The second
            half of the key is True for source code.
    """

    __slots__ = ("_code", "_kinds", "_words", "names", "seen", "text", "told")

    def __init__(self, text: str, names: Names) -> None:
        self.text = text
        self.names = names
        self.told: defaultdict[str, int] = defaultdict(int)
        self.seen: dict[tuple[str, bool], KeyRule | Literal[False]] = {}
        self._words: dict[str, bool] = {}
        self._code: dict[int, bool] = {}
        self._kinds: dict[str, Kind] = {}

    def rule(self, start: int, end: int) -> KeyRule | None:
        """The rule for the name between two places."""
        name = self.text[start:end].lstrip(" $")
        rule = self.names.rule(name)
        if rule is None and self.text[start - 1 : start] == ";":
            # Among the settings of a connection, `PWD` is no folder.
            rule = self.names.rule(name.casefold())
        return rule

    def see(self, key: tuple[str, bool], verdict: KeyRule | Literal[False]) -> None:
        """Keep what a stretch of text has been found to say."""
        if len(self.seen) >= _SEEN:
            self.seen.clear()
        self.seen[key] = verdict

    def has_word(self, word: str) -> bool:
        """Return whether a word of small letters is anywhere in the text, in any case."""
        known = self._words.get(word)
        if known is None:
            known = self._words[word] = word in self.text.lower()
        return known

    def kind(self, value: str) -> Kind:
        """The form of a value without spaces."""
        known = self._kinds.get(value)
        if known is None:
            known = self._kinds[value] = kind(value)
        return known

    def is_code(self, at: int) -> bool:
        """Return whether the lines around a place are source code."""
        block = at // _BLOCK
        known = self._code.get(block)
        if known is None:
            around = self.text[max(0, block * _BLOCK - 256) : (block + 1) * _BLOCK + 256]
            signs = _CODE.Match(around.encode("utf-8", "replace")) or ()
            known = self._code[block] = len(signs) >= _ENOUGH
        return known

    def is_required(self, value: str, at: int) -> bool:
        """Return whether `Word!` is a type, as in GraphQL and TypeScript, and no password."""
        is_graphql = self.has_word("string!") or self.has_word("id!")
        return is_graphql or self.is_code(at) or self.names.rule(value[:-1]) is not None

    def indent(self, at: int) -> int | None:
        """Return the distance of a name from the start of its line; None if a word precedes it.

        Blanks may precede it, and the signs of a list, a quotation, a comment or a shell.
        """
        start = max(0, at - _INDENT)
        line = self.text.rfind("\n", start, at) + 1
        if (line == 0 and start > 0) or not _LINE_START.fullmatch(self.text, line, at):
            return None
        return at - line

    def is_condition(self, at: int) -> bool:
        """Return whether a name is in a statement's condition: `if not token:`, `case TOKEN:`."""
        start = max(0, at - _INDENT)
        line = self.text.rfind("\n", start, at) + 1
        return (line > 0 or start == 0) and _CONDITION.fullmatch(self.text, line, at) is not None

    def is_in_resource(self, start: int) -> bool:
        """Return whether a name is part of a resource's name: `arn:aws:...:secret:x`."""
        before = self.text[max(0, start - 100) : start]
        return before[-1:] == ":" and "arn:" in before

    def is_argument(self, at: int) -> bool:
        """Return whether a name is a parameter in a call of source code: `x = f(token=`."""
        start = max(0, at - _CALL)
        line = self.text.rfind("\n", start, at) + 1
        return (line > 0 or start == 0) and _ARGUMENT.fullmatch(self.text, line, at) is not None

    def rest_of_line(self, at: int) -> str:
        """Return the rest of a line without blanks at its end; only the start of a long rest."""
        end = self.text.find("\n", at, at + LINE)
        return self.text[at : end if end >= 0 else at + LINE].rstrip()

    def word_before(self, at: int) -> str:
        """The word of letters that stands before a place, with one space between; "" if none."""
        text = self.text
        if text[at - 1 : at] != " " or not text[at - 2 : at - 1].isalpha():
            return ""
        before = text[max(0, at - 25) : at - 1]
        return before[len(before.rstrip(ascii_letters)) :]
