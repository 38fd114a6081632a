"""The first look at a text: what could be in it, and where."""

import re
from itertools import accumulate
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from relayscope.sanitizer.encoded import ENCODED_FILTER
from relayscope.sanitizer.look_alikes import latin
from relayscope.sanitizer.mentions import NoMentions, Re2Mentions, Span, mentions_of
from relayscope.sanitizer.model import PatternRule
from relayscope.sanitizer.names import Names, loose
from relayscope.sanitizer.prefilter import prefilter
from relayscope.sanitizer.views import ESCAPE_FILTER

_STRUCTURE_FILTER: Final = r'"(?:kty|rawHeaders|raw_headers)\\*"'
STRUCTURE = re.compile(_STRUCTURE_FILTER)
"""Members that say what others hold without naming a secret, also in JSON in a JSON string."""

_ENTITIES: Final = (
    *((b"&quot;", b'"'), (b"&#34;", b'"'), (b"&#x22;", b'"'), (b"&apos;", b"'"), (b"&#39;", b"'")),
    *((b"&#x27;", b"'"), (b"&#x2F;", b"/"), (b"&#x3D;", b"="), (b"&lt;", b"<"), (b"&gt;", b">")),
)

_QUOTED: Final = 3
"""Times that percent signs and ampersands can be quoted in each other."""


_BLANKS: Final = ((b"\\n", b"\n"), (b"\\r", b"\r"), (b"\\t", b"\t"))
_QUOTES = re.compile(rb"%[0-9a-fA-F]{2}")
"""What a percent sign stands for; others are those of formats and numbers."""


class Suspicion(NamedTuple):
    """What could be in a text.

    Attributes:
        rules: indexes of the pattern rules that could match.
        mentions: where the text mentions a sensitive name, in characters.
        is_spelled: whether something could be hidden in another spelling.
        has_encoded: whether another text could be encoded in it.
        has_structure: whether members could be in it that say what others hold.
    """

    rules: list[int]
    mentions: list[Span]
    is_spelled: bool
    has_encoded: bool
    has_structure: bool


CLEAN: Final = Suspicion([], [], is_spelled=False, has_encoded=False, has_structure=False)


class Suspicions:
    """Looks at texts. Safe to share between threads.

    Raises:
        RulesError: the expressions are too large together.
    """

    def __init__(self, rules: tuple[PatternRule, ...], names: Names) -> None:
        self._names = names
        phrases = names.phrases()
        foreign = [phrase for phrase in phrases if not phrase.isascii()]
        self._mentions = mentions_of([*filter(str.isascii, phrases)], loose)
        # Few texts can have one, and hyperscan would take 0.2 s to compile them.
        self._foreign = Re2Mentions("|".join(map(loose, foreign))) if foreign else NoMentions()
        self._prefilter = prefilter(
            rules, [names.expression(), ESCAPE_FILTER, ENCODED_FILTER, _STRUCTURE_FILTER]
        )
        self._name = len(rules)
        self._escape, self._encoded, self._structure = range(self._name + 1, self._name + 4)

    def of(self, text: str) -> Suspicion | None:
        """What could be in a text; None if there can be no secret in it.

        Raises:
            UnicodeEncodeError: the text has a lone surrogate.
        """
        text = latin(text)
        data = text.encode()
        ends = [len(data)]
        if "\\" in text or "%" in text or "&" in text:
            data, ends = _spelled(text, data)
        fired = self._prefilter.fired(data)
        may_be_foreign = len(text) != ends[0] or (len(ends) > 1 and b"\\u" in data)
        if fired is None:
            if not may_be_foreign:
                return None
            fired = []
        mentions, hidden = self._mentions.spans(data, ends) if self._name in fired else ([], False)
        if may_be_foreign:
            foreign, hides_foreign = self._foreign.spans(data, ends)
            hidden = hidden or hides_foreign
            mentions = sorted([*mentions, *foreign]) if foreign else mentions
        if mentions:
            is_sensitive = self._names.is_sensitive_part
            mentions = [span for span in mentions if is_sensitive(data[slice(*span)].decode())]
        rules = [index for index in fired if index < self._name]
        if not (mentions or hidden or rules or (fired and max(fired) > self._name)):
            return None
        return Suspicion(
            rules,
            mentions if len(text) == ends[0] else _in_characters(data, mentions),
            is_spelled=hidden or self._escape in fired,
            has_encoded=self._encoded in fired,
            has_structure=self._structure in fired,
        )


def _spelled(text: str, data: bytes) -> tuple[bytes, list[int]]:
    """The text and how it reads, spelling by spelling; and where each of them ends."""
    spellings = [data]
    plain = data
    if "%" in text and _QUOTES.search(data):
        spellings += _unquoted(plain)
        plain = spellings[-1]
    if b"&" in plain:
        unmarked = _without_entities(plain)
        if unmarked != plain:
            plain = unmarked
            spellings.append(plain)
    if b"\\" in plain:
        if plain is not data:
            spellings.append(_without_backslashes(data))
        spellings.append(_without_backslashes(plain))
    return b"\n".join(spellings), [*accumulate((len(each) + 1 for each in spellings), initial=-1)][
        1:
    ]


def _unquoted(data: bytes) -> list[bytes]:
    """The text with percent signs read, once and, where they are percent signs, again."""
    read = [unquote_to_bytes(data)]
    while b"%25" in data and len(read) < _QUOTED:
        data = read[-1]
        read.append(unquote_to_bytes(data))
    return read


def _without_entities(data: bytes) -> bytes:
    """The text with HTML's quotes read, however deep; letters as entities have a filter."""
    for _ in range(_QUOTED):
        data = data.replace(b"&amp;", b"&")
    for entity, sign in _ENTITIES:
        data = data.replace(entity, sign)
    return data


def _without_backslashes(data: bytes) -> bytes:
    """The text as if every escape were read, however deep; hexadecimal ones have a filter."""
    for escape, blank in _BLANKS:
        # Looking is three times as fast as replacing.
        if escape in data:
            data = data.replace(escape, blank)
    return data.replace(b"\\", b"")


def _in_characters(data: bytes, spans: list[Span]) -> list[Span]:
    found: list[Span] = []
    characters = position = 0
    for start, end in spans:
        first = characters + len(data[position:start].decode())
        characters = first + len(data[start:end].decode())
        position = end
        found.append((first, characters))
    return found
