"""The words that rules are made of: steps, actions, rules, limits. Plain frozen data."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

Check: TypeAlias = Callable[[str, int, int], bool]
"""Says whether what stands in a text from one place to another can be the secret it looks like."""


class Step(StrEnum):
    """The steps, in the order they run.

    The order is fixed because it is what makes the result safe: text is made storable before it
    is searched, and cut only after every secret in it is gone. Each step can be left out.
    """

    NORMALIZE = "normalize"
    """Replace what PostgreSQL cannot hold: NUL, lone surrogates, NaN, infinity, big integers."""

    BINARY = "binary"
    """Replace the base64 of images, audio and blobs in JSON by what can be said of it."""

    KEYS = "keys"
    """Find the values of sensitive names: in attributes, JSON, headers, queries, options, XML."""

    PATTERNS = "patterns"
    """Find what looks like a secret, wherever it stands."""

    ALLOW = "allow"
    """Let go of findings that the allow-lists know to be harmless."""

    TRUNCATE = "truncate"
    """Cut what is still longer than the limits."""


class Action(StrEnum):
    """Treatment of a secret."""

    REDACT = "redact"
    """The secret becomes `[REDACTED:rule]`."""

    HASH = "hash"
    """The secret becomes `[HASHED:rule:key.tag]`; equal secrets have equal tags."""

    DROP = "drop"
    """The whole value that holds the secret becomes `[DROPPED:rule]`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRule:
    """Names whose value is a secret.

    A name is compared by its words, so `apiKey`, `API_KEY`, `x-api-key` and `api key` are the
    same. In a phrase a space stands for any or no separator.

    Attributes:
        name: lower-case letters, digits and hyphens; appears in markers and counts.
        about: one line for the reference.
        contains: phrases that make a name sensitive wherever they stand in it.
        ends: phrases that make a name sensitive only as its last words.
        excepts: phrases that are taken out of a name first, whatever the rule; a final `*` takes
            any ending with it.
        whole_line: in plain text the value runs to the end of the line, as in a header.
        action: the treatment of the value.
        optional: among the default rules: off unless enabled by name.
        samples: names that must hit.
    """

    name: str
    about: str = ""
    contains: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    excepts: tuple[str, ...] = ()
    whole_line: bool = False
    action: Action = Action.REDACT
    optional: bool = False
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatternRule:
    r"""Text that is a secret by its looks.

    Attributes:
        name: lower-case letters, digits and hyphens; appears in markers and counts.
        pattern: an RE2 expression without anchors, but that `(?:\A|[^...])` may stand at its
            start: RE2 looks behind in no other way. If it has a group, the first group that took
            part is the secret, else all of the match.
        about: one line for the reference.
        keywords: texts of which at least one is in every match, whatever its case. They keep
            the search cheap; without them the pattern itself is searched for everywhere.
        check: a last look at the secret; it is one only if this says so.
        action: the treatment of the secret.
        optional: among the default rules: off unless enabled by name.
        samples: texts that must hit; the secret stands between `<<` and `>>`, and `^` is left out.
    """

    name: str
    pattern: str
    about: str = ""
    keywords: tuple[str, ...] = ()
    check: Check | None = None
    action: Action = Action.REDACT
    optional: bool = False
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """Exceptions to the rules: texts that are no secrets.

    Attributes:
        names: names that are never sensitive, as written, case included.
        values: RE2 expressions; a secret that matches one from end to end is let through.
    """

    names: frozenset[str] = frozenset()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what is kept.

    Attributes:
        text: longest text, in characters; None keeps all of it.
        key: longest attribute name, in characters.
        depth: deepest nesting of values. The default is below what orjson (254) and protobuf's
            parser (100) accept, so that what passes here can be stored.
        nesting: depth to which text may be hidden inside text (JSON in a JSON string, base64,
            percent signs) before it is dropped unread. Each level doubles the backslashes before
            a quote, so honest traffic stays far below.
        findings: secrets that one text may have before it is dropped as a whole, because each
            takes memory (about 500 bytes). For the time that each takes, see `Allowance`.
    """

    text: int | None = None
    key: int = 1024
    depth: int = 64
    nesting: int = 8
    findings: int = 10_000


RULE_NAME: Final = r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?"
"""Form of a rule's name: markers have it in them, and a marker must never hold a secret."""
