"""One look through one text, at the places that the first look has pointed out."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from typing import Final

from relayscope.sanitizer.findings import Finding, Findings
from relayscope.sanitizer.json.numbers import NumberKind, number_kind
from relayscope.sanitizer.json.strings import JsonString, JsonStrings, is_json
from relayscope.sanitizer.json.text import JsonText
from relayscope.sanitizer.json.values import JsonValues
from relayscope.sanitizer.model import Action, PatternRule
from relayscope.sanitizer.names.continuation import Span
from relayscope.sanitizer.plain_text.plain_text import pairs
from relayscope.sanitizer.rules.replacements import TOO_MANY
from relayscope.sanitizer.search.patterns import is_in, places, secrets, spans
from relayscope.sanitizer.spellings.encoded import Run, decoded, encoded_runs, goes_on
from relayscope.sanitizer.spellings.surroundings import surroundings
from relayscope.sanitizer.spellings.views import ESCAPE, SIGNS, unspelled
from relayscope.sanitizer.suspicion.suspicion import STRUCTURE, Suspicion, known

from .means import Inside, Means

# A sign of another spelling, and not one of a format or an operator.
_SPELLED = re.compile(r"\\[\"'\\/bfnrtux]|%[0-9a-fA-F]{2}|&#?[a-zA-Z0-9]{2,6};")
# A backslash, a percent sign or an ampersand that is itself spelled otherwise.
_ESCAPES: Final = rf"{ESCAPE}|%(?:2[356]|5c)|&(?:amp|bsol|percnt|#)"
_NEAR: Final = 12
"""Characters before and behind a mention in which its quotes and what assigns to it stand."""

_PAIR: Final = 8
_PLACE: Final = 2
_CHECK: Final = 5
_MATCH: Final = 2
_RUN: Final = 10
_STRING: Final = 8
"""Work for the value of a name, a place where a pattern matches, a look around it, the secret, a
possibly encoded text, and a JSON string. A name takes one."""

_FOR_RULE: Final = 1024
"""Characters of a text for each rule that is tried in it without a search for all."""

_FEW: Final = 8
_FOR_ESCAPE: Final = 1024
"""Escapes for letters, and characters that allow for one more, up to which only what is around them
is read: that would be most of the text."""

_CONTAINERS: Final = ("{", "[")
_LISTED: Final = frozenset({",", "]"})


class TextSearch:
    """Finds the secrets of one text. Use it once.

    Args:
        text: the text, with the markers of earlier runs masked.
        suspicion: the possible contents of the text.
        means: the means of the search.
        inside: searches what is hidden in it.
    """

    def __init__(self, text: str, suspicion: Suspicion, means: Means, inside: Inside) -> None:
        self._text = text
        self._suspicion = suspicion
        self._means = means
        self._inside = inside
        self._allowance = inside.allowance
        self._findings = Findings(means.limit, self._allowance.spend)
        # Places of all that is no mention.
        self._others: list[int] = []
        # What has been read, as first and last places of stretches that do not overlap.
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._loose: list[Span] = []
        # Where a secret may be all of a string, for what stands before that: `login("bob", "x")`.
        self._edges: set[int] = set()
        self._runs: list[Run] = []
        self._escapes: list[int] = []

    def findings(self, others: Sequence[int] = ()) -> list[Finding]:
        """The secrets, in order and apart.

        Args:
            others: further places; the JSON strings that have them are read, too.
        """
        rule_places = {index: self._places(index) for index in self._suspicion.rules}
        is_hidden = self._suspicion.is_spelled or any(
            self._is_spelled_otherwise(index) for index, found in rule_places.items() if not found
        )
        if self._suspicion.has_encoded:
            runs = encoded_runs(self._text)
            self._runs = self._suspicious(runs)
            is_hidden = is_hidden or not runs
        if self._suspicion.has_escapes and not is_hidden:
            self._escapes = self._escape_places()
            is_hidden = not self._escapes
        self._read_strings_at(rule_places, [*others, *self._escapes])
        if is_hidden:
            self._read_spelled_strings()
        for finding in self._outside(rule_places, is_hidden=is_hidden):
            self._findings.add(finding)
        return self._findings.merged()

    @cached_property
    def _json(self) -> JsonText:
        return JsonText(
            JsonValues(self._text, self._allowance),
            self._findings,
            self._means.names,
            self._means.replacements,
            self._inside_string,
        )

    def _places(self, index: int) -> list[int]:
        rule = self._means.rules[index]
        self._allowance.read_through(self._text)
        found = places(rule, self._text)
        self._allowance.pass_over(_PLACE * len(found))
        return found

    def _escape_places(self) -> list[int]:
        """Return where letters are written as escapes, or an escape could be; none if all over."""
        self._allowance.read_through(self._text)
        most = _FEW + len(self._text) // _FOR_ESCAPE
        # What they match may begin before the string that the escape is in.
        found = [end - 1 for _, end in islice(spans(_ESCAPES, self._text), most + 1)]
        self._allowance.pass_over(_PLACE * len(found))
        return found if len(found) <= most else []

    def _is_spelled_otherwise(self, index: int) -> bool:
        """Return whether a rule matches in another spelling of the text, also behind a letter."""
        rule = self._means.rules[index]
        for reading in self._suspicion.readings:
            self._allowance.read_through(reading)
            if is_in(rule, reading):
                return True
        return False

    def _read_strings_at(self, rule_places: dict[int, list[int]], more: Sequence[int]) -> None:
        """Read the JSON strings in which something is; note the mentions that are in none."""
        strings = JsonStrings(self._text, self._suspicion.strings)
        done = loose_until = 0
        for start, end in self._spots(rule_places, more):
            string = strings.around(start) if start >= done else None
            if string is not None:
                done = self._read(string)
                if done >= 0:
                    if end > start:
                        if done == string.end and self._may_be_no_json(string):
                            self._loose.append((start, end))
                    elif start == string.start and self._may_be_no_json(string):
                        self._edges.add(start)
                    continue
                # It names something that is no JSON, so it is no JSON itself.
                done = loose_until = string.end
            elif start < done and start >= loose_until:
                continue
            if end > start:
                self._loose.append((start, end))

    def _may_be_no_json(self, string: JsonString) -> bool:
        """Return whether a string may be one of a program or of CSV, and not of a list in JSON."""
        return string.follows in _LISTED and not self._is_json

    def _spots(self, rule_places: dict[int, list[int]], more: Sequence[int]) -> list[Span]:
        """Return the places of what could be there, in order. All but mentions have no length."""
        suspicion = self._suspicion
        self._allowance.pass_over(len(suspicion.mentions))
        others = [*more, *chain.from_iterable(rule_places.values())]
        others += (run.start for run in self._runs)
        if suspicion.has_structure:
            others += (found.start() + 1 for found in STRUCTURE.finditer(self._text))
        self._others = sorted(others)
        if not others:
            return suspicion.mentions
        return sorted([*suspicion.mentions, *((at, at) for at in others)])

    def _suspicious(self, runs: list[Run]) -> list[Run]:
        """Those in which something could be encoded, most often none of all the runs."""
        suspects = self._means.suspects
        self._allowance.spend(_RUN * len(runs))
        texts = [decoded(self._text, run) for run in runs]
        if not suspects("\n".join(texts)):
            return [run for run in runs if goes_on(self._text, run)]
        if len(runs) == 1:
            return runs
        return [
            run
            for run, text in zip(runs, texts, strict=True)
            if goes_on(self._text, run) or suspects(text)
        ]

    def _inside_string(self, string: JsonString) -> list[Finding]:
        """Search a JSON string; all of it goes if that takes more than it may."""
        found = self._allowance.attempt(lambda: self._search_string(string))
        if found is None:
            return [self._means.replacements.gone(TOO_MANY, string.text)]
        return found

    def _search_string(self, string: JsonString) -> list[Finding]:
        """Search a string as a text again, or only at the mentions that are known already."""
        text, start, end = string.text, string.start, string.end
        if self._inside.levels == 0:
            return self._inside.text(text)
        mentions = self._suspicion.mentions
        first, last = bisect_left(mentions, (start, 0)), bisect_left(mentions, (end, 0))
        is_escaped = end - start > len(text)
        has_signs = "%" in text or "&" in text
        has_others = bisect_left(self._others, start) != bisect_left(self._others, end)
        if is_escaped or has_signs or (has_others and not self._suspicion.is_plain):
            # Of a short one it takes less time to search for all.
            may_be_known = is_escaped or len(text) > _FOR_RULE
            suspicion = self._known(string, mentions[first:last]) if may_be_known else None
            return self._inside.known(text, suspicion) if suspicion else self._inside.text(text)
        findings = Findings(self._means.limit, self._allowance.spend)
        # There is no value beside a name that is all of its string.
        if first != last and mentions[first] != (start, end):
            shifted = [(each - start, until - start) for each, until in mentions[first:last]]
            for finding in self._pairs(text, shifted):
                findings.add(finding)
        # Nothing is spelled otherwise in it, and no string is in it.
        for index in self._suspicion.rules if has_others else ():
            rule = self._means.rules[index]
            self._allowance.read_through(text)
            for finding in self._matches(rule, text, secrets(rule, text)):
                findings.add(finding)
        return findings.merged()

    def _known(self, string: JsonString, mentions: list[Span]) -> Suspicion | None:
        """Return what could be in a string, as far as the text tells; None if more could be."""
        suspicion, rules, text = self._suspicion, self._suspicion.rules, string.text
        if suspicion.is_read and len(text) > _FOR_RULE:
            shifted = _read(self._text, string, mentions)
            return shifted if shifted is None else suspicion.of_string(shifted)
        if not suspicion.is_plain or not (mentions or rules):
            return None
        if len(text) < _FOR_RULE * len(rules) or (rules and any(map(text.__contains__, SIGNS))):
            # A search for all rules takes less time; or what they find may be spelled otherwise.
            return None
        shifted = _read(self._text, string, mentions)
        return None if shifted is None else known(shifted, rules)

    def _read(self, string: JsonString) -> int:
        self._allowance.spend(_STRING)
        end = self._json.read(string)
        if end is None and not string.is_name():
            return -1
        self._starts.append(string.start)
        self._ends.append(string.end if end is None else max(end, string.end))
        return -1 if end is None else self._ends[-1]

    def _read_spelled_strings(self) -> None:
        """Read the strings whose spelling could hide something, too."""
        text = self._text
        strings = JsonStrings(text, self._suspicion.strings)
        starts, ends = self._starts, self._ends
        self._starts, self._ends = [], []
        at = 0
        while found := _SPELLED.search(text, at):
            string = strings.around(found.start())
            if string is None:
                mark = text.find('"', found.end())
                at = mark if mark >= 0 else len(text)
                continue
            at = string.end + 1
            if not _covers(starts, ends, string.start):
                at = max(at, self._read(string))
        merged = sorted(zip(chain(starts, self._starts), chain(ends, self._ends), strict=True))
        self._starts = [start for start, _ in merged]
        self._ends = [end for _, end in merged]

    def _outside(self, rule_places: dict[int, list[int]], *, is_hidden: bool) -> Iterator[Finding]:
        if self._loose:
            yield from self._pairs(self._text, self._loose)
        for index, found in rule_places.items():
            if any(map(self._is_left, found)):
                rule = self._means.rules[index]
                self._allowance.read_through(self._text)
                self._allowance.pass_over(_CHECK * len(found) if rule.check else 0)
                unread = (span for span in secrets(rule, self._text) if self._is_left(span[0]))
                yield from self._matches(rule, self._text, unread)
        yield from self._encoded()
        if is_hidden:
            spelled = [(0, len(self._text))]
        elif any(map(self._text.__contains__, SIGNS)):
            spelled = surroundings(self._text, self._spelled_places(rule_places))
        else:
            return
        if spelled and not self._is_json:
            yield from self._spelled(spelled)

    def _pairs(self, text: str, mentions: list[Span]) -> Iterator[Finding]:
        self._allowance.spend(_PAIR * len(mentions))
        replacements = self._means.replacements
        for pair in pairs(text, self._means.names, mentions):
            finding = replacements.finding(pair.rule, text, (pair.start, pair.end))
            if finding and pair.quoted:
                yield finding.moved(pair.start, pair.end, f'"{finding.replacement}"')
            elif finding:
                yield finding

    def _matches(self, rule: PatternRule, text: str, matches: Iterable[Span]) -> Iterator[Finding]:
        """Yield the findings of a rule at the places in a text that it matches."""
        for start, end in matches:
            self._allowance.spend(_MATCH)
            kind = number_kind(text, start, end)
            finding = self._means.replacements.finding(rule, text, (start, end))
            if finding is None or kind is NumberKind.AMONG_NUMBERS:
                continue
            if kind is NumberKind.ALONE:
                first = start - (text[start - 1] == "-")
                yield finding.moved(first, end, f'"{finding.replacement}"')
            elif rule.action is Action.DROP:
                yield finding.moved(0, len(text), finding.replacement)
            else:
                yield finding

    def _encoded(self) -> Iterator[Finding]:
        for run in self._runs:
            if self._is_read(run.start):
                continue
            # Written anew it would be other bytes all over, so it goes as a whole.
            for finding in self._inside.text(decoded(self._text, run))[:1]:
                yield finding.moved(run.start, run.end, finding.replacement)

    def _spelled(self, stretches: list[Span]) -> Iterator[Finding]:
        """Yield the findings that other spellings hide in some stretches."""
        for start, end in stretches:
            view = unspelled(self._text[start:end])
            if view.text == self._text[start:end]:
                continue
            for finding in map(view.back, self._inside.text(view.text)):
                goes_on = start + finding.end > end - _NEAR and end < len(self._text)
                if goes_on or (start and not finding.start):
                    # It may go on, or begin before, as what a rule drops does.
                    yield from self._spelled([(0, len(self._text))])
                    return
                found = finding.moved(
                    start + finding.start, start + finding.end, finding.replacement
                )
                if not self._is_read(found.start):
                    yield found

    def _spelled_places(self, rule_places: dict[int, list[int]]) -> list[int]:
        """Return the places outside of JSON strings that have another spelling nearby."""
        places = ((at, at) for at in chain(*rule_places.values()))
        # What goes on behind a run is spelled otherwise, so all of a run counts.
        unread = (span for span in chain(places, self._runs) if not self._is_read(span[0]))
        spelled = [
            start
            for start, end in chain(self._loose, unread)
            if _SPELLED.search(self._text, max(0, start - _NEAR), end + _NEAR)
        ]
        # One that is read may be in a name whose value is not.
        return spelled + self._escapes

    def _is_left(self, at: int) -> bool:
        return not self._is_read(at) or at in self._edges

    def _is_read(self, at: int) -> bool:
        return _covers(self._starts, self._ends, at)

    @cached_property
    def _is_json(self) -> bool:
        """True if all of the text is JSON, so that there is nothing between its strings."""
        return self._text.lstrip().startswith(_CONTAINERS) and is_json(self._text)


def _read(text: str, string: JsonString, mentions: list[Span]) -> list[Span] | None:
    """Return the places of mentions in the unescaped string; None if not all escapes are simple."""
    found: list[Span] = []
    position, length = string.start, 0
    # One of itself; longer ones make the lengths differ.
    are_doubled = "\\" in string.text
    for start, end in mentions:
        length += _length(text, position, start, are_doubled=are_doubled)
        position = end
        found.append((length, length + end - start))
        length += end - start
    length += _length(text, position, string.end, are_doubled=are_doubled)
    return found if length == len(string.text) else None


def _length(text: str, start: int, end: int, *, are_doubled: bool) -> int:
    """Return the length of an escaped stretch as it reads, if each escape is two characters."""
    length = end - start - text.count("\\", start, end)
    return length + text.count("\\\\", start, end) if are_doubled else length


def _covers(starts: list[int], ends: list[int], at: int) -> bool:
    index = bisect_right(starts, at) - 1
    return index >= 0 and at < ends[index]
