"""Reads JSON text by its tokens, to find the values of sensitive names and the strings inside.

Not a parser that builds values: a secret must be cut out where it stands, with spaces, key order
and spelling of everything else untouched. It keeps its own stack, so depth costs memory in
proportion and never the interpreter's stack, and it reads on when a text was cut off.
"""

import re
from collections.abc import Callable
from enum import Enum, auto
from typing import Final, NamedTuple

from relayscope.sanitizer.findings import ROOT, Finding, Findings, spliced
from relayscope.sanitizer.model import KeyRule
from relayscope.sanitizer.names import Names
from relayscope.sanitizer.neighbours import NAMING, SAMPLES, SCHEMA_WORDS, VALUE
from relayscope.sanitizer.replacements import Replacements
from relayscope.sanitizer.views import View, unescaped

# A token, and with it the colon or comma behind it: half the turns for nearly no more search.
_TOKEN = re.compile(
    r'[ \t\r\n]*+(?:([{}\[\]])|"((?:[^"\\]++|\\.?)*+)("?)|([^ \t\r\n"{}\[\],:]++))'
    r"[ \t\r\n]*+([:,]?)",
    re.DOTALL,
)
_CLOSED = re.compile(r"""[ \t\r\n]*+[}\]](?![ \t\r\n]*+["'])""")
_NO_VALUE = re.compile(r"[ \t\r\n]*+[}\],:]")
_SCALAR = re.compile(
    r"-?(?:[0-9]++(?:\.[0-9]*+)?(?:[eE][+-]?[0-9]*+)?|Infinity)|NaN|true|false|null"
)
_WORDS: Final = ("true", "false", "null", "NaN", "Infinity", "-Infinity")
_EMPTY = re.compile(r"[{\[][ \t\r\n]*+[}\]]")
_SCHEMA = re.compile(rf'\{{[ \t\r\n]*+"(?:{"|".join(map(re.escape, sorted(SCHEMA_WORDS)))})"')

_Span = tuple[int, int]


class Tools(NamedTuple):
    """What a document is read with.

    Attributes:
        names: knows which names are sensitive.
        replacements: makes findings.
        scan: looks into a string.
    """

    names: Names
    replacements: Replacements
    scan: Callable[[str], list[Finding]]


_SHOWN: Final = 16
"""Innermost pieces of a path that are shown: nobody reads more, and hostile text has thousands."""


class _Expected(Enum):
    VALUE = auto()
    VALUE_OR_END = auto()
    KEY = auto()
    KEY_OR_END = auto()
    COLON = auto()
    COMMA_OR_END = auto()


_START: Final = (_Expected.VALUE, _Expected.VALUE_OR_END)
_NAME: Final = (_Expected.KEY, _Expected.KEY_OR_END)
_COLON: Final = (_Expected.COLON,)
_COMMA: Final = (_Expected.COMMA_OR_END,)
_CLOSE: Final = {
    "}": (_Expected.COMMA_OR_END, _Expected.KEY_OR_END),
    "]": (_Expected.COMMA_OR_END, _Expected.VALUE_OR_END),
}


class _Frame:
    """An object or array that is open.

    Attributes:
        kind: `{` or `[`.
        key: the member being read, of an object.
        index: the element being read, of an array.
        rule: the rule for the value that comes next, if it is sensitive.
        named: the rule for the name that a member called `name` or `key` holds.
        value: where the member called `value` stands, and how it reads.
        properties: whether this is a JSON Schema's `properties`.
        samples: the rule for the samples in here, if this is the schema of a sensitive name.
    """

    __slots__ = ("index", "key", "kind", "named", "properties", "rule", "samples", "value")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.key = ""
        self.index = 0
        self.rule: KeyRule | None = None
        self.named: KeyRule | None = None
        self.value: tuple[_Span, str | None] | None = None
        self.properties = False
        self.samples: KeyRule | None = None

    def here(self) -> str:
        """The last piece of the path of the value being read."""
        return f".{self.key}" if self.kind == "{" else f"[{self.index}]"

    def take_rule(self) -> KeyRule | None:
        """The rule for the value that starts now; it holds for this one only."""
        rule, self.rule = self.rule, None
        return rule


class Document:
    """One JSON text that starts at a place in a text. Read it once.

    Attributes:
        end: where reading stopped.
    """

    def __init__(self, text: str, start: int, findings: Findings, tools: Tools) -> None:
        self.end = start
        self._findings = findings
        self._text = text
        self._names, self._replacements, self._scan = tools
        self._frames: list[_Frame] = []
        self._expected = _Expected.VALUE
        # While a container is to be replaced as a whole: its place, its rule, its depth.
        self._hidden: tuple[int, KeyRule, int] | None = None

    def read(self) -> bool:
        """Read to the end of the document, or of the text if it was cut off.

        Returns:
            Whether it was JSON all the way. If not, `end` is where it no longer was.
        """
        while True:
            token = _TOKEN.match(self._text, self.end)
            if token is None:
                # Nothing but space is left, or a colon or comma where none may stand.
                return self._cut_off() or self._broken(self.end)
            if not self._token(token):
                return self._broken(token.start() + 1)
            if not self._frames:
                self.end = max(token.end(1), token.end(3), token.end(4))
                return True
            self.end = token.end()
            if token[5] and not self._behind(token[5]):
                return self._broken(self.end)

    def _token(self, token: re.Match[str]) -> bool:
        """Take one token; false if it may not stand there."""
        if token[2] is not None:
            return self._string(token)
        mark = token[1]
        if mark is None:
            return self._scalar(token)
        if mark in "{[":
            return self._open(mark, token.start(1))
        return self._close(mark, token.end(1))

    def _behind(self, mark: str) -> bool:
        """Take the colon or comma behind a token; false if it may not stand there."""
        if mark == ":":
            return self._turn(_COLON, _Expected.VALUE)
        frame = self._frames[-1]
        frame.index += 1
        return self._turn(_COMMA, _Expected.KEY if frame.kind == "{" else _Expected.VALUE)

    def _turn(self, allowed: tuple[_Expected, ...], then: _Expected) -> bool:
        if self._expected not in allowed:
            return False
        self._expected = then
        return True

    def _open(self, mark: str, at: int) -> bool:
        then = _Expected.KEY_OR_END if mark == "{" else _Expected.VALUE_OR_END
        if not self._turn(_START, then):
            return False
        parent = self._frames[-1] if self._frames else None
        frame = _Frame(mark)
        if parent and not self._hidden:
            self._enter(parent, frame, at)
        self._frames.append(frame)
        return True

    def _enter(self, parent: _Frame, frame: _Frame, at: int) -> None:
        frame.properties = parent.key == "properties"
        if parent.key == VALUE:
            parent.value = ((at, len(self._text)), None)
        rule = parent.take_rule()
        if rule is None:
            # A schema below that of a sensitive name is about the same value: `anyOf`, `items`.
            frame.samples = parent.samples
        elif parent.properties and _SCHEMA.match(self._text, at):
            frame.samples = rule
        elif not _EMPTY.match(self._text, at):
            self._hidden = (at, rule, len(self._frames))

    def _close(self, mark: str, end: int) -> bool:
        if not self._frames or (self._frames[-1].kind == "{") != (mark == "}"):
            return False
        if not self._turn(_CLOSE[mark], _Expected.COMMA_OR_END):
            return False
        self._named_value(self._frames.pop())
        parent = self._frames[-1] if self._frames else None
        if parent and parent.key == VALUE and parent.value:
            parent.value = ((parent.value[0][0], end), None)
        if self._hidden and self._hidden[2] == len(self._frames):
            start, rule, _ = self._hidden
            self._hidden = None
            self._found(rule, (start, end), None)
        return True

    def _string(self, token: re.Match[str]) -> bool:
        span = token.span(2)
        if self._expected in _NAME:
            self._expected = _Expected.COLON
            self._key(span[0], unescaped(token[2]))
            return True
        if not self._turn(_START, _Expected.COMMA_OR_END):
            return False
        if self._hidden:
            return True
        view = unescaped(token[2])
        frame = self._frames[-1] if self._frames else None
        rule = frame.take_rule() if frame else None
        if rule and not (view.text.startswith("--") and frame and frame.kind == "["):
            self._found(rule, span, view.text)
        else:
            self._add_within(span[0], view, self._scan(view.text))
        if frame:
            self._note(frame, view.text, span)
        return True

    def _key(self, start: int, view: View) -> None:
        frame = self._frames[-1]
        if self._hidden:
            return
        found = self._scan(view.text)
        # What is left of a name can be another one, and is what may be shown.
        frame.key = spliced(view.text, found) if found else view.text
        if frame.samples and frame.key in SAMPLES:
            frame.rule = frame.samples
        else:
            frame.rule = self._names.rule(view.text) or self._names.rule(frame.key)
        self._add_within(start, view, found)

    def _scalar(self, token: re.Match[str]) -> bool:
        span, scalar = token.span(4), token[4]
        cut = span[1] == len(self._text) and any(word.startswith(scalar) for word in _WORDS)
        if not (cut or _SCALAR.fullmatch(scalar)):
            return False
        if not self._turn(_START, _Expected.COMMA_OR_END):
            return False
        if not self._frames or self._hidden:
            return True
        frame = self._frames[-1]
        rule = frame.take_rule()
        # true, false and null tell whether there is a secret, and not which.
        if scalar[-1].isdigit():
            if rule:
                self._found(rule, span, None)
            elif found := self._scan(scalar):
                self._add(found[0], span, f'"{found[0].replacement}"')
            if frame.key == VALUE:
                frame.value = (span, None)
        return True

    def _note(self, frame: _Frame, text: str, span: _Span) -> None:
        """Remember a string that says what its neighbour is, or that such a neighbour names.

        `["--token", "x"]` is an option and its value, `[["cookie", "x"]]` a list of pairs.
        """
        if frame.kind == "[":
            pair = frame.index == 0 and len(self._frames) > 1 and self._frames[-2].kind == "["
            frame.rule = self._names.rule(text) if pair else self._names.option(text)
        elif frame.key in NAMING:
            frame.named = self._names.rule(text)
        elif frame.key == VALUE:
            frame.value = (span, text)

    def _named_value(self, frame: _Frame) -> None:
        """`{"name": "API_KEY", "value": "..."}` is as good as `{"API_KEY": "..."}`."""
        if frame.named and frame.value and not self._hidden:
            self._found(frame.named, *frame.value)

    def _cut_off(self) -> bool:
        """The text ended too early: what is open reaches to its end."""
        if self._text[self.end :].strip(" \t\r\n"):
            return False
        self.end = len(self._text)
        if self._hidden:
            start, rule, depth = self._hidden
            del self._frames[depth:]
            self._hidden = None
            self._found(rule, (start, self.end), None)
        for frame in self._frames:
            self._named_value(frame)
        return True

    def _broken(self, end: int) -> bool:
        """This is no JSON, or no more. Then nobody knows where a value ends that was announced."""
        rule = self._frames[-1].rule if self._frames else None
        lost = self._expected is _Expected.COLON or _NO_VALUE.match(self._text, self.end)
        # `{"token"}` announces none.
        if rule and lost and not _CLOSED.match(self._text, self.end):
            span = (self.end, len(self._text))
            if finding := self._replacements.finding(rule, self._text, span):
                self._add(finding, span, finding.replacement)
        self.end = max(self.end, end)
        return False

    def _found(self, rule: KeyRule, span: _Span, string: str | None) -> None:
        """A sensitive value: the inside of a string, or all of any other value."""
        finding = self._replacements.finding(rule, self._text, span, secret=string)
        if finding:
            marker = finding.replacement if string is not None else f'"{finding.replacement}"'
            self._add(finding, span, marker)

    def _add_within(self, start: int, view: View, found: list[Finding]) -> None:
        """What was found in a string that starts at `start`."""
        for finding in found:
            back = view.back(finding)
            self._add(back, (start + back.start, start + back.end), back.replacement)

    def _add(self, finding: Finding, span: _Span, replacement: str) -> None:
        above = "".join(frame.here() for frame in self._frames[-_SHOWN:])
        path = ROOT + (".." if len(self._frames) > _SHOWN else "") + above
        self._findings.add(finding.moved(*span, replacement).below(path))
