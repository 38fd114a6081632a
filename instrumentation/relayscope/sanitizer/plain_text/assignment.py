"""Values that stand right behind their name: `name = value`, `name: value`, `"name": value`.

The same signs are written in configuration and in source code. There a value without quotes is a
secret; here it is a name, a call or a type, and only what is quoted is one.
"""

import re
from typing import Final

from relayscope.sanitizer.findings import FILL
from relayscope.sanitizer.json.description import describes_in_yaml, describes_inline
from relayscope.sanitizer.json.schema import SCHEMA_WORDS
from relayscope.sanitizer.values import expression, extents, harmless
from relayscope.sanitizer.values.default_literal import USER_AND_PASSWORD, default, second
from relayscope.sanitizer.values.harmless import Kind
from relayscope.sanitizer.values.page import LINE, Mention, Page, Pair

from . import other_meaning, spoken

_ASSIGNS = re.compile(
    r"(=>|:=|<-(?!>)|[?+|]{0,2}=(?![=~])|[!=]={1,2}|[?!]?:(?!:)|\uff1a|\uff1d)"
    # Comments in JSON, and marks that end bold letters.
    r"(?:(?<=[:\uff1a])[*_]{1,3}(?=\s)|</\w{1,10}>"
    # An element in a line: `Password: <code>X`.
    r"|[ \t]*+<(?:strong|b|em|i|code|kbd|samp|span|tt|mark|br)(?:[ ][^<>\n]{0,64})?/?>"
    r"|[ \t]*+(?:/\*(?:[^*]|\*(?!/)){0,256}+\*/|//[^\n]{0,256}+\n\s*+)){0,4}+"
    r"([ \t]*+)"
)
_DECLARING: Final = frozenset(
    ["type", "interface", "struct", "enum", "class", "typedef", "data", "newtype"]
)
_COMPARED: Final = frozenset({"==", "===", "!=", "!=="})
_COLONS: Final = frozenset({":", "?:", "!:", "\uff1a"})
# `: str = `, `: &'static str = `, and nothing that YAML has behind a colon.
_TYPED = re.compile(
    r"[&*]?(?:'\w+ )?[A-Za-z_][\w.]*+(?:\[[^\]\n]{0,64}\]|<[^>\n]{0,64}>)*+[?!*&]?"
    r"(?:[ ]?\|[ ]?[\w.]+(?:\[[^\]\n]{0,64}\])?)*+(?:[ \t]+=[ \t]+|=(?=[\"'`]))"
)
_TEMPLATE = re.compile(
    r"\$?\{\{[^{}\n]{0,128}\}\}|\$\([^\n]{0,200}\)|"
    r"\{[A-Za-z_][\w.]{0,64}(?:![rsa])?(?::[^{}\s]{0,16})?\}"
    r"|<[A-Za-z][\w .:-]{0,64}>|%\(\w{1,64}\)s|\$\{[A-Za-z_][\w.]*\}(?![^\s\"'`,;)}\]&<])"
)
_EMPTY = re.compile(r"[{\[]\s*+[}\]]")
_SCHEMA = re.compile(
    rf"""\{{\s*+["']?(?:{"|".join(map(re.escape, sorted(SCHEMA_WORDS)))}|required)["']?\s*+:"""
)
_VALIDATED = re.compile(r"""\[\s*+["'](?:(?:required|nullable|sometimes|string|bail)["'|]|["'],)""")
_BRACKETED: Final = 1024
"""Characters in brackets that are looked at to see whether they are source code."""

_OTHERWISE = re.compile(r"""[ \t]*+(?:or\b|\|\||\?\?|\?:)[ \t]*+(?=[bru]?["'`])""")
SCHEME: Final = r"(?i:basic|bearer|digest|negotiate|token|apikey|ntlm|hawk)[ \t]"
"""A way to authenticate, and the blank behind which its secret stands."""
_SCHEME = re.compile(rf"{SCHEME}[ \t]*+")
_COUNT: Final = 2
_FEW_DIGITS: Final = 4
_EITHER = re.compile(r" \| [\"'`]")
"""The next alternative, in a type of TypeScript or a grammar."""

_QUERY: Final = "?&,(;"
_AROUND: Final = frozenset("(,{<|")
_PARAMETERS: Final = frozenset(",)=>;|")
# What an earlier run has put there was one, too.
_PARAMETER = re.compile(
    rf"[A-Za-z_{FILL}][\w.{FILL}]*+(?:\[[\w., |]{{0,64}}\]|<[\w., ?]{{0,64}}>)?+(?=[ ]?[,)}}\]])"
)
_CLOSING_TAG = re.compile(r"</[a-z]{1,10}>")
_COMMENT = re.compile(r"[ \t]+(?:#|//|--)(?=[ \t])")
_BLOCK: Final = 2048
"""Characters of a block that are looked at to see whether they are harmless."""
_BEFORE: Final = 256
"""Characters before a name in which quotation marks are counted."""
_CLOSING: Final = frozenset({"", *" \t\r\n),;]}+%.\"'`"})
_DIGITS: Final = frozenset("0123456789")
_NEWLINES: Final = frozenset("\r\n")
_QUOTES: Final = frozenset("\"'")
_CLOSED: Final = frozenset(");")
# A value and what closes brackets that were opened before its name: `token=None):`.
_CLOSES = re.compile(r"([^()]++)\)(?:[):,;\]}\[]*+|\.[\w.(]*+)")
_STATEMENT = re.compile(r"(-?[0-9]{1,6}|[A-Za-z_$][A-Za-z_$.]*+)[;,}\]]")
_MARKS: Final = frozenset("\"'`")
_OPENINGS: Final = frozenset("\"'`bBfFrRuUNL@")
_OBJECTS: Final = frozenset("{[")
_BRACKETS: Final = frozenset("{[($<%")
_ENDS: Final = frozenset({"", "\n", "\r", "|", ">"})


def assigned(page: Page, mention: Mention) -> Pair | None:
    """The value that a name is assigned, unless it is harmless."""
    found = _ASSIGNS.match(page.text, mention.behind)
    if found is None:
        return None
    assignment = _Assignment(page, mention, found)
    return assignment.pair() if assignment.is_about_the_name() else None


class _Assignment:
    """A name, what assigns to it, and the place where the value starts."""

    __slots__ = ("at", "colon", "mention", "operator", "page", "quote", "spaced")

    def __init__(self, page: Page, mention: Mention, found: re.Match[str]) -> None:
        self.page = page
        self.mention = mention
        self.operator, blanks = found.groups()
        self.at = found.end()
        mark = page.text[mention.end]
        self.quote = mark if mark in _QUOTES else ""
        self.spaced = bool(blanks) or mention.behind > mention.end + (mark in _MARKS)
        self.colon = self.operator in _COLONS
        if self.quote and self.colon and page.text[self.at : self.at + 1] in _NEWLINES:
            # As JSON has it.
            self.at = extents.space(page.text, self.at)
        if self.colon and not self.quote and (typed := _TYPED.match(page.text, self.at)):
            self.at, self.operator, self.colon = typed.end(), "=", False

    def is_about_the_name(self) -> bool:
        """Return whether the value is the name's own. In `Unexpected token: ...` it is not."""
        if not self.spaced and not self.colon:
            return True
        start = self.mention.start
        if self._has_other_meaning():
            return False
        before = self.page.word_before(start)
        if before in _DECLARING and extents.literal(self.page.text, self.at) is None:
            return False
        if not before or self.page.indent(start) is not None:
            return True
        return self.page.names.rule(f"{before} {self._name()}") is not None

    def _has_other_meaning(self) -> bool:
        page, mention, at = self.page, self.mention, self.at
        if self.colon and other_meaning.of_colon(page, mention, at):
            return True
        return not self.quote and (
            other_meaning.is_member(page, mention, at)
            or (self.operator == ":" and page.is_condition(mention.start))
        )

    def pair(self) -> Pair | None:
        """The value, unless it is harmless."""
        text, at = self.page.text, self.at
        mark = text[at : at + 1]
        if mark in _OPENINGS and (span := extents.literal(text, at)):
            return None if self._is_closing() else self._literal(*span)
        if self.operator in _COMPARED:
            return None
        if self.operator == "=>" and not self.quote:
            # The parameter of a function, most often.
            end = extents.run(text, at)
            is_random = harmless.is_random(text[at : min(end, at + LINE)])
            return Pair(self.mention.rule, at, end) if is_random else None
        if mark in _ENDS:
            return self._block()
        if mark not in _DIGITS and not self.quote and expression.is_member(text, at):
            return None
        return self._bracketed(mark) if mark in _BRACKETS else self._bare()

    def _literal(self, start: int, end: int) -> Pair | None:
        text = self.page.text
        pair = Pair(self.mention.rule, start, end)
        if end - start > LINE:
            return pair
        value = text[start:end]
        if self.operator in _COMPARED and not harmless.is_odd(value):
            return None
        if _EITHER.match(text, end + 1):
            return None
        named = self.page.names.rule(value)
        if (named and named.whole_line and " " not in value) or harmless.is_template(value):
            return None
        if harmless.is_label_of(value, self.mention.rule.name) or harmless.is_same_name(
            value, self._name()
        ):
            return None
        is_command = text[start - 1] == "`" and self.operator == "=" and not self.spaced
        return None if is_command and (" " in value or harmless.is_word(value)) else pair

    def _is_closing(self) -> bool:
        """Return whether the quotation mark at the value ends a text that has the name in it."""
        text, at, start = self.page.text, self.at, self.mention.start
        if (
            self.quote == text[at]
            or text[at] not in _MARKS
            or text[at + 1 : at + 2] not in _CLOSING
        ):
            return False
        if text[at + 1 : at + 2] in _CLOSED or text.startswith("`\n", at):
            return True
        line = text.rfind("\n", max(0, start - _BEFORE), start) + 1 or max(0, start - _BEFORE)
        return text.count(text[at], line, start) % 2 == 1

    def _bracketed(self, mark: str) -> Pair | None:
        text, at, rule = self.page.text, self.at, self.mention.rule
        if _TEMPLATE.match(text, at) or _EMPTY.match(text, at):
            return None
        if mark == "(" and (found := USER_AND_PASSWORD.match(text, at)):
            return second(self.page, rule, found.end())
        if mark not in _OBJECTS:
            return self._bare()
        is_schema = _SCHEMA.match(text, at) or _VALIDATED.match(text, at)
        if is_schema or describes_inline(self.page.names, text, at):
            return None
        end = extents.closing(text, at, at + _BRACKETED)
        if self.page.is_code(at) and not harmless.has_odd_literal(text[at:end]):
            return None
        return Pair(rule, at, extents.closing(text, at, len(text)), quoted=bool(self.quote))

    def _block(self) -> Pair | None:
        text, at = self.page.text, self.at
        indent = self.page.indent(self.mention.start) if self.colon and not self.quote else None
        if indent is None:
            return None
        some = extents.block(text, at, indent, at + _BLOCK)
        if some is None or describes_in_yaml(self.page.names, text[at:some]):
            return None
        return Pair(self.mention.rule, at, extents.block(text, at, indent, len(text)) or some)

    def _bare(self) -> Pair | None:
        text, at, rule = self.page.text, self.at, self.mention.rule
        if self.quote:
            end = extents.rest(text, extents.run(text, at))
            return self._checked_run(Pair(rule, at, end, quoted=True))
        is_first = self.page.indent(self.mention.start) is not None
        if not is_first and expression.begins_expression(self.page.rest_of_line(at)):
            return default(self.page, rule, at)
        if self._reaches_over_the_line(is_first=is_first):
            return self._checked_line()
        scheme = _SCHEME.match(text, at)
        read = extents.lone_run if is_first and not self.spaced else extents.run
        pair = self._checked_run(Pair(rule, at, read(text, scheme.end() if scheme else at)))
        if pair and not (self.spaced or self.colon) and text[pair.end : pair.end + 1] == " ":
            pair = pair._replace(end=extents.setting(text, self.mention.start, pair.end))
        is_said = pair is not None and self.colon and self.spaced and not is_first
        return spoken.with_rest(text, pair) if pair and is_said else pair

    def _reaches_over_the_line(self, *, is_first: bool) -> bool:
        whole = self.mention.rule.whole_line
        if is_first:
            return self.spaced or (whole and self.colon)
        return whole and (self.colon or self.page.text[self.mention.start - 1] not in _QUERY)

    def _checked_line(self) -> Pair | None:
        """The value that is the rest of a line, unless it is harmless."""
        text, at, rule = self.page.text, self.at, self.mention.rule
        around = self._around()
        end = extents.line(text, at, around, len(text))
        if tag := _CLOSING_TAG.search(text, at, min(end, at + LINE)):
            end = tag.start()
        value = text[at : min(end, at + LINE)]
        head = _COMMENT.split(value, maxsplit=1)[0].rstrip()
        bare = head.rstrip(",; ")
        if " " not in bare:
            # What follows is a comment.
            return self._checked_run(Pair(rule, at, extents.wrapped(text, at) or at + len(bare)))
        if harmless.is_type(bare):
            return None
        if expression.is_expression(head):
            said = self.colon and (spoken.behind_user(text, at, rule) or self._made_up(head))
            return said or default(self.page, rule, at)
        if parameter := _PARAMETER.match(head):
            return self._checked_run(Pair(rule, at, at + parameter.end()))
        if self.colon and (harmless.is_prose(value) or self._is_remark(value)):
            odd = harmless.odd_word(value)
            odd_pair = odd and Pair(rule, at + odd.start(), at + odd.end())
            return self._made_up(value) or odd_pair
        return Pair(rule, at, end)

    def _made_up(self, value: str) -> Pair | None:
        """The word and its number at the start of a value, where a sentence gives a password."""
        is_sentence = self.colon and self.spaced and not self.quote
        is_said = is_sentence and self.mention.rule.name == harmless.MADE_UP
        end = spoken.made_up(value) if is_said and not self.page.is_code(self.at) else 0
        return Pair(self.mention.rule, self.at, self.at + end) if end else None

    def _is_remark(self, value: str) -> bool:
        """Return whether a value is a remark on the name: advice, or plain words after a header."""
        if harmless.is_advice(value):
            return True
        is_header = self.mention.rule.whole_line and not _SCHEME.match(value)
        return is_header and harmless.is_remark(value)

    def _around(self) -> str:
        """The quotation mark inside of which the name stands."""
        text, start = self.page.text, self.mention.start
        line = text.rfind("\n", max(0, start - _BEFORE), start) + 1 or max(0, start - _BEFORE)
        return '"' if text.count('"', line, start) % 2 == 1 else text[start - 1 : start]

    def _checked_run(self, pair: Pair) -> Pair | None:
        """The value that is a run without spaces, unless it is harmless."""
        if pair.end - pair.start > harmless.LONGEST:
            return pair
        text = self.page.text
        value = text[pair.start : pair.end]
        if closed := _CLOSES.fullmatch(value):
            value = closed[1]
            pair = pair._replace(end=pair.start + len(value))
        elif (statement := _STATEMENT.match(value)) and self.page.is_code(pair.start):
            value = statement[1]
        elif text[pair.end : pair.end + 1] == "<" and expression.is_generic(text, pair.end):
            return default(self.page, pair.rule, pair.start)
        if certain := self._certain(pair, value):
            return certain
        value = value.rstrip(",;:") or value
        kind = self.page.kind(value)
        if kind is Kind.CALL:
            return self._called(pair)
        if not self._is_harmless(kind, value, pair.end):
            return pair
        otherwise = _OTHERWISE.match(text, pair.end)
        span = otherwise and extents.literal(text, otherwise.end())
        return Pair(pair.rule, *span) if span else None

    def _certain(self, pair: Pair, value: str) -> Pair | None:
        """The value if it only looks like a word at the end of a sentence, a path or a call."""
        if pair.start == self.at and (made_up := self._made_up(value)):
            return made_up
        if value[-1:] == "." and harmless.is_random(value[:-1]):
            return pair._replace(end=pair.end - 1)
        is_path = harmless.is_numbered_path(value.rstrip(",;:"))
        return pair if is_path and not self.page.is_code(self.at) else None

    def _is_harmless(self, kind: Kind, value: str, end: int) -> bool:
        match kind:
            case Kind.REFERENCE:
                return True
            case Kind.TYPE:
                return not value.endswith("!") or self.page.is_required(value, self.at)
            case Kind.NUMBER:
                return self._is_count(value)
            case Kind.WORD | Kind.PATH:
                return self._is_name(kind, value, end) or self._is_sentence(value)
        if self.colon and not self.spaced and self.page.is_in_resource(self.mention.start):
            return True
        # Most values are names that nobody has asked for before, which takes 4 µs.
        is_name = value.isidentifier() and self.page.is_code(self.at)
        is_stored = self.mention.rule.name == harmless.STORED and harmless.is_of_store(
            value, self._name()
        )
        return is_stored or (is_name and self.page.names.rule(value) is not None)

    def _called(self, pair: Pair) -> Pair | None:
        text = self.page.text
        if wrapped := extents.wrapped(text, pair.start):
            return Pair(pair.rule, pair.start, wrapped, pair.quoted)
        if _TEMPLATE.match(text, pair.start):
            return None
        return (
            default(self.page, pair.rule, pair.start)
            if expression.is_call(self.page.rest_of_line(pair.start))
            else pair
        )

    def _is_name(self, kind: Kind, value: str, end: int) -> bool:
        """Return whether a value is a name in a program, or another sensitive name."""
        page = self.page
        is_variable = (
            harmless.is_longer_name(value, self._name())
            or page.is_code(self.at)
            or (self.operator == "=" and not self.spaced and page.is_argument(self.mention.start))
        )
        if is_variable:
            return True
        is_sensitive = page.names.rule(value) is not None
        # In the help of a command: `--password=pass`.
        is_named = page.text[self.mention.start] == "-" or harmless.has_words(value)
        if is_sensitive and (is_named or kind is Kind.PATH):
            return True
        if kind is Kind.PATH:
            return expression.is_known_path(value)
        before = page.text[self.mention.start - 2 : self.mention.start].strip()
        behind = page.text[end : end + 1]
        if before[-1:] in _AROUND and behind in _PARAMETERS and self.colon:
            return value[:1].isupper()
        if not self.spaced or behind not in {";", ","}:
            return False
        return behind == ";" or page.indent(self.mention.start) is not None

    def _is_sentence(self, value: str) -> bool:
        return self.colon and value.isalpha() and harmless.is_prose(self.page.rest_of_line(self.at))

    def _name(self) -> str:
        return self.page.text[self.mention.start : self.mention.end]

    def _is_count(self, value: str) -> bool:
        """Return whether a number is a count, a line of a file, or a number in source code."""
        if self.colon and not self.spaced and "." in self._name():
            return True
        if self._name().endswith("s") and len(value) < _FEW_DIGITS and self._name().islower():
            # So many of them, or tests that pass.
            return self._name() == "pass" or not self._name().endswith("pass")
        if self.spaced and len(value) <= _COUNT:
            return True
        return len(value) <= _FEW_DIGITS and self.page.is_code(self.at)
