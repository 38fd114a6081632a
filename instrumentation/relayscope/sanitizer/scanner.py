"""Looks through a text for secrets: the steps `keys` and `patterns`, in every spelling.

text ── filter: can anything be in here? ── no ──▶ nothing found
          │ yes
          ├─ JSON documents ──▶ their names and values; each string in them is a text again
          └─ the rest ────────▶ names with values, patterns,
                                and itself without escapes, percent signs and base64: a text again
"""

import re
from collections.abc import Iterator
from itertools import chain
from typing import Final
from urllib.parse import unquote_to_bytes

from relayscope.sanitizer.findings import Finding, Findings, TooManyFindings, masked
from relayscope.sanitizer.json_text import Document, Tools
from relayscope.sanitizer.model import Action, Step
from relayscope.sanitizer.names import Names
from relayscope.sanitizer.patterns import Filter, filter_expression, secrets
from relayscope.sanitizer.plain_text import pairs
from relayscope.sanitizer.replacements import NESTING, TOO_MANY, Replacements
from relayscope.sanitizer.rules import Rules
from relayscope.sanitizer.views import BASE64_FILTER, ESCAPE_FILTER, base64_json, unspelled

_DOCUMENT = re.compile(
    # At the start of the text or a line, also one of server-sent events; elsewhere only
    # what nothing but JSON starts with.
    r'\A\s*+(?=["{\[])|^(?:data:)?[ \t]*+(?=[{\[])|(?=[{\[]\s*+["{\[])',
    re.MULTILINE,
)

_COVER: Final = "\ue001"
"""Stands for a character of a JSON document while the text around it is looked at."""

_SHORT: Final = 40
_REMEMBERED: Final = 8192
"""Characters and number of the texts remembered as harmless. In a JSON-RPC message with one secret
they are nine strings out of ten, and remembering them halves the time it takes."""

_BLANK: Final = _COVER + " \t\r\n"


class Scanner:
    """Finds secrets in texts. Safe to share between threads.

    All it keeps are short texts that are known to be harmless: the names and words of a protocol.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules.patterns if Step.PATTERNS in rules.steps else ()
        self.names = Names(
            rules.keys if Step.KEYS in rules.steps else (),
            rules.harmless_endings,
            rules.allowed.names if Step.ALLOW in rules.steps else (),
        )
        self.replacements = Replacements(
            rules.keyring, rules.allowed.values if Step.ALLOW in rules.steps else ()
        )
        self._limits = rules.limits
        self._filter = Filter(
            [
                *map(filter_expression, self._rules),
                self.names.expression(),
                ESCAPE_FILTER,
                BASE64_FILTER,
            ]
        )
        self._only_names = [len(self._rules)]
        self._harmless: set[str] = set()

    def suspects(self, text: str) -> list[int] | None:
        """Which patterns could match in a text; None if there can be no secret in it.

        Raises:
            UnicodeEncodeError: the text has a lone surrogate.
        """
        data = text.encode()
        if "\\" in text:
            # As if every escape were read, however deep; what \u hides has a filter of its own.
            plain = text.replace("\\n", "\n").replace("\\r", "\r").replace("\\t", "\t")
            data += b"\n" + plain.replace("\\", "").encode()
        if "%" in text:
            data += b"\n" + unquote_to_bytes(data)
        fired = self._filter.fired(data)
        if fired == self._only_names and not self.names.mentioned(data):
            return None
        return fired

    def find(self, text: str) -> list[Finding]:
        """The secrets in a text, in order and apart.

        Raises:
            UnicodeEncodeError: the text has a lone surrogate.
        """
        try:
            return self._find(text, 0)
        except TooManyFindings:
            return [self.replacements.gone(TOO_MANY, text)]

    def _find(self, text: str, nesting: int) -> list[Finding]:
        """The same for a text that was hidden in `nesting` others."""
        if text in self._harmless:
            return []
        text = masked(text)
        suspects = self.suspects(text)
        if suspects is None:
            self._remember(text)
            return []
        if nesting > self._limits.nesting:
            return [self.replacements.gone(NESTING, text)]
        findings = Findings(self._limits.findings)
        rest = self._documents(text, nesting, findings)
        if rest.strip(_BLANK):
            for finding in chain(
                self._pairs(rest), self._patterns(rest, suspects), self._spelled(rest, nesting)
            ):
                findings.add(finding)
        return findings.merged()

    def _remember(self, text: str) -> None:
        if len(text) <= _SHORT:
            if len(self._harmless) >= _REMEMBERED:
                self._harmless.clear()
            self._harmless.add(text)

    def _documents(self, text: str, nesting: int, findings: Findings) -> str:
        """Look into the JSON documents in a text, and give it back with these covered."""
        tools = Tools(self.names, self.replacements, lambda inside: self._find(inside, nesting + 1))
        rest: list[str] = []
        position = 0
        while found := _DOCUMENT.search(text, position):
            start = found.end()
            document = Document(text, start, findings, tools)
            right = document.read()
            # Text may start with a quotation; a JSON string is the whole of it.
            right = right and (text[start] != '"' or not text[document.end :].strip())
            end = max(document.end, start + 1)
            rest += (text[position:start], _COVER * (end - start) if right else text[start:end])
            position = end
        return "".join(rest) + text[position:]

    def _pairs(self, text: str) -> Iterator[Finding]:
        for pair in pairs(text, self.names):
            finding = self.replacements.finding(pair.rule, text, (pair.start, pair.end))
            if finding and pair.quoted:
                yield finding.moved(pair.start, pair.end, f'"{finding.replacement}"')
            elif finding:
                yield finding

    def _patterns(self, text: str, suspects: list[int]) -> Iterator[Finding]:
        for index in suspects:
            if index >= len(self._rules):
                continue
            rule = self._rules[index]
            for span in secrets(rule, text):
                finding = self.replacements.finding(rule, text, span)
                if finding and rule.action is Action.DROP:
                    yield finding.moved(0, len(text), finding.replacement)
                elif finding:
                    yield finding

    def _spelled(self, text: str, nesting: int) -> Iterator[Finding]:
        """What other spellings hide."""
        view = unspelled(text)
        if view.text != text:
            yield from map(view.back, self._find(view.text, nesting + 1))
        for start, end, decoded in base64_json(text):
            # Written anew it would be other bytes all over, so it goes as a whole.
            for finding in self._find(decoded, nesting + 1)[:1]:
                yield finding.moved(start, end, finding.replacement).below("base64")
