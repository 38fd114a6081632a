"""Looks through a text for secrets: the steps `keys` and `patterns`, in every spelling.

text ── first look: can anything be in here, and where? ── no ──▶ nothing found
          │ yes
          ├─ places in JSON strings ──▶ their names and values; each string is a text again
          └─ the rest ────────────────▶ names with values, patterns,
                                        and itself without escapes, percent signs and base64
"""

import sys
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING, Final

from relayscope.sanitizer.allowance import Allowance
from relayscope.sanitizer.findings import Finding, Findings, TooManyFindings, masked
from relayscope.sanitizer.json.members import named_strings
from relayscope.sanitizer.model import Step
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.rules.replacements import NESTING, TOO_MANY, Replacements
from relayscope.sanitizer.rules.rules import Rules
from relayscope.sanitizer.search.patterns import Span, count, matches
from relayscope.sanitizer.suspicion.suspicion import CLEAN, Suspicion, Suspicions

from .aftermath import Aftermath
from .binary import (
    SOON,
    Binary,
    binaries,
    covered,
    may_have_uri,
    may_hold_binary,
    nested_places,
)
from .known_messages import KnownMessages, digest_without_id
from .plain_matches import plain_matches

if TYPE_CHECKING:
    from .means import Means

_SHORT: Final = 40
_REMEMBERED: Final = 8192
"""Characters and number of the texts remembered as harmless. In a JSON-RPC message with one secret
they are nine strings out of ten, and remembering them halves the time it takes."""

_MICROSECONDS_EACH: Final = 10
_MICROSECONDS_MATCH: Final = 12
_EACH: Final = 200
"""Cost of a mention of a name and of a rule's match; characters that a rule reads in 1 µs."""

_MATCHES: Final = 200
"""Matches of a rule that are counted: so many take longer than a host's own thread may."""

_MOST_NAMES: Final = 2000
"""Names of a text that are looked at to say what it would take: 1 µs for each."""

_TEXT: Final = 48
_KNOWN: Final = 24
_CHARACTERS: Final = 50
"""Work for a text that is hidden in another, less if it is known what could be in it; and its
characters that take one more."""

_MEMBER: Final = 12
"""Work for a string beside its name, and for what a rule matches."""

BINARY: Final = "binary"
"""Among the rules that hit: contents of which only type, size and digest were kept."""

_NOTHING: Final = (None, None)


class Scanner:
    """Finds secrets in texts. Safe to share between threads.

    It keeps short texts that are known to be harmless, the names and words of a protocol; digests
    of long messages; and the text that somebody has asked about, until it or another is sanitized.
    """

    def __init__(self, rules: Rules) -> None:
        patterns = rules.patterns if Step.PATTERNS in rules.steps else ()
        self.names = Names(
            rules.keys if Step.KEYS in rules.steps else (),
            rules.harmless_endings,
            rules.allowed.names if Step.ALLOW in rules.steps else (),
        )
        self.aftermath = Aftermath(self.names)
        self.replacements = Replacements(
            rules.keyring, rules.allowed.values if Step.ALLOW in rules.steps else ()
        )
        self._marks_binary = Step.BINARY in rules.steps
        self._nesting = rules.limits.nesting
        self._suspicions = Suspicions(patterns, self.names)
        self._patterns, self._most_findings = patterns, rules.limits.findings
        self._harmless: set[str] = set()
        self._messages = KnownMessages(lambda text: self._suspicions.of(text) is None)
        # Of the text that somebody asked about, who will sanitize it next.
        self._without_binary: str | None = None
        self._seen: tuple[str | None, Suspicion | None] = _NOTHING
        self._found: tuple[str | None, list[Finding] | None] = _NOTHING

    @cached_property
    def _means(self) -> "Means":
        from .means import Means  # noqa: PLC0415  # as in `_search`

        return Means(
            self._patterns,
            self.names,
            self.replacements,
            self._most_findings,
            self._suspicions.of,
        )

    def suspects(
        self, text: str, allowance: Allowance | None = None, most_names: int = sys.maxsize
    ) -> Suspicion | None:
        """Return what could be in a text; None if there can be no secret in it.

        Args:
            text: the text.
            allowance: the work that may be done, if that is to be counted.
            most_names: the number of names that may be looked at.

        Raises:
            TooManyFindings: it has more names than may be looked at.
            UnicodeEncodeError: the text has a lone surrogate.
        """
        seen, suspicion = self._seen
        if seen is not text:
            suspicion = self._suspicions.of(text, allowance, most_names)
            if suspicion:
                # Whoever asked will look into the text next: that need not begin anew.
                self._seen = text, suspicion
                return suspicion
        if suspicion is None:
            self._forget()
        return suspicion

    def places(self, text: str) -> list[Span] | None:
        """Return the places around which there could be secrets; None if they could be anywhere.

        Raises:
            UnicodeEncodeError: the text has a lone surrogate.
        """
        suspicion = self.suspects(text)
        if suspicion is None:
            return []
        if not suspicion.is_plain or (suspicion.rules and suspicion.readings):
            return None
        matched = (matches(self._patterns[index], text) for index in suspicion.rules)
        return [*suspicion.mentions, *chain.from_iterable(matched)]

    def may_hold_binary(self, text: str) -> bool:
        """Return whether a text could have binary contents."""
        if text is self._without_binary:
            return False
        may_hold = may_hold_binary(text)
        # Whoever asked will look into the text next, as in `suspects`.
        self._without_binary = None if may_hold else text
        return may_hold

    def effort(self, text: str) -> int:
        """Microseconds that finding the secrets of a text takes, roughly; more rather than less.

        Raises:
            UnicodeEncodeError: the text has a lone surrogate.
        """
        searched = text
        digest = digest_without_id(text)
        known = self._messages.findings(text, digest)
        if known is not None:
            self._seen = text, CLEAN if known else None
            self._without_binary = None if known else text
            self._found = text, known
            return len(known)
        if self.may_hold_binary(text):
            allowance = Allowance.of_size(SOON)
            contents = allowance.attempt(lambda: list(binaries(text, allowance)))
            if contents is None:
                return sys.maxsize
            searched = covered(text, contents)
        try:
            suspicion = self.suspects(searched, most_names=_MOST_NAMES)
        except TooManyFindings:
            return sys.maxsize
        if suspicion is None:
            # Whoever asked will sanitize it next.
            self._seen = searched, None
            if searched is text:
                self._without_binary = text
                self._messages.remember(text, digest, ())
            return 0
        is_spelled = suspicion.is_spelled or suspicion.has_escapes
        passes = 1 + len(suspicion.rules) + 8 * is_spelled + 16 * suspicion.has_encoded
        matches = sum(count(self._patterns[each], searched, _MATCHES) for each in suspicion.rules)
        found = len(suspicion.mentions) * _MICROSECONDS_EACH + matches * _MICROSECONDS_MATCH
        return found + passes * len(searched) // _EACH

    def find(self, text: str, allowance: Allowance) -> list[Finding]:
        """The secrets in a text, in order and apart; all of it if that takes more than it may.

        Raises:
            UnicodeEncodeError: the text has a lone surrogate.
        """
        return self._find(text, allowance, 0)

    def find_or_give_up(self, text: str, allowance: Allowance) -> list[Finding]:
        """The same for a text that may stay if that takes more than it may.

        Raises:
            TooManyFindings: it does.
            UnicodeEncodeError: the text has a lone surrogate.
        """
        findings = self._look_into(text, allowance, 0)
        if any(finding.rule == TOO_MANY for finding in findings):
            raise TooManyFindings
        return findings

    def _find(self, text: str, allowance: Allowance, nesting: int) -> list[Finding]:
        """Find the secrets of a text that was hidden in `nesting` others."""
        found = allowance.attempt(lambda: self._look_into(text, allowance, nesting))
        return [self.replacements.gone(TOO_MANY, text)] if found is None else found

    def _look_into(self, text: str, allowance: Allowance, nesting: int) -> list[Finding]:
        if nesting:
            # Before what is remembered: the same text always comes to the same end.
            allowance.spend(_TEXT)
            allowance.pass_over(len(text) // _CHARACTERS)
        if len(text) <= _SHORT and text in self._harmless:
            return []
        found_in, found = self._found
        if found_in is text and found:
            self._forget()
            return found
        written, text = text, masked(text)
        may_be_binary = self.may_hold_binary(text)
        contents = list(binaries(text, allowance)) if may_be_binary else []
        searched = covered(text, contents) if contents else text
        # Of a text that is in no other, the first look may have been taken before.
        suspicion = self.suspects(searched, allowance if nesting else None)
        nested = nested_places(searched) if may_be_binary else []
        if suspicion is None and not contents and not nested:
            self._remember(text)
            return []
        self._seen, self._without_binary = _NOTHING, None
        suspicion = suspicion or CLEAN
        if contents or nested or (may_be_binary and may_have_uri(text)):
            # Its strings may have some, too.
            suspicion = suspicion._replace(is_plain=False, is_read=False)
        findings = self._search(searched, suspicion, allowance, nesting, nested)
        if contents:
            findings = sorted([*findings, *self._binary(contents, allowance, nesting)])
        elif not findings:
            self._remember(text)
            if not (nesting or may_be_binary):
                self.settle(written, ())
        return findings

    def settle(self, text: str, findings: Sequence[Finding]) -> None:
        """Remember these as all the secrets of a text."""
        self._messages.remember(text, digest_without_id(text), findings)

    def _forget(self) -> None:
        """Keep no text longer than for who has asked about it."""
        self._seen = self._found = _NOTHING
        self._without_binary = None

    def _search(
        self,
        text: str,
        suspicion: Suspicion,
        allowance: Allowance,
        nesting: int,
        others: Sequence[int] = (),
    ) -> list[Finding]:
        """The secrets in a text of which it is known what could be in it."""
        if nesting > self._nesting:
            return [self.replacements.gone(NESTING, text)]
        if suspicion.is_plain and not others and nesting < self._nesting:
            found = self._plainly(text, suspicion, allowance)
            if found is not None:
                return found
        # Two thirds of the package, with half of its expressions: most programs have no secret to
        # search for before they are at work, and start 0.1 s sooner without.
        from .means import Inside  # noqa: PLC0415  # see above
        from .text_search import TextSearch  # noqa: PLC0415  # see above

        inside = Inside(
            lambda text: self._find(text, allowance, nesting + 1),
            lambda text, suspicion: self._known(text, suspicion, allowance, nesting + 1),
            self._nesting - nesting,
            allowance,
        )
        return TextSearch(text, suspicion, self._means, inside).findings(others)

    def _known(
        self, text: str, suspicion: Suspicion, allowance: Allowance, nesting: int
    ) -> list[Finding]:
        """Find the secrets in a hidden text of which it is known what could be in it."""
        allowance.spend(_KNOWN)
        return self._search(masked(text), suspicion, allowance, nesting)

    def _plainly(
        self, text: str, suspicion: Suspicion, allowance: Allowance
    ) -> list[Finding] | None:
        """The strings of sensitive names and what rules match; None if more has to be read."""
        strings = named_strings(text, self.names, suspicion.mentions)
        if strings is None:
            return None
        rules = [self._patterns[index] for index in suspicion.rules]
        matches = plain_matches(text, rules, self.replacements) if rules else []
        if matches is None:
            return None
        allowance.spend(_MEMBER * (len(strings) + len(matches)))
        for _ in rules:
            allowance.read_through(text)
        make = self.replacements.finding
        found = [made for rule, *span in strings if (made := make(rule, text, (span[0], span[1])))]
        if not matches:
            if len(found) > self._most_findings:
                raise TooManyFindings
            return found
        findings = Findings(self._most_findings, allowance.spend)
        for each in (*found, *matches):
            findings.add(each)
        return findings.merged()

    def _binary(
        self, contents: list[Binary], allowance: Allowance, nesting: int
    ) -> Iterator[Finding]:
        for content in contents:
            size = content.end - content.start
            if self._marks_binary:
                marker = content.marker()
                yield Finding(content.start, content.end, marker, BINARY, Step.BINARY, size)
                continue
            text = content.text()
            inside = self._find(text, allowance, nesting + 1) if text else []
            for finding in inside[:1]:
                yield finding.moved(content.start, content.end, finding.replacement)

    def _remember(self, text: str) -> None:
        if len(text) <= _SHORT:
            if len(self._harmless) >= _REMEMBERED:
                self._harmless.clear()
            self._harmless.add(text)
