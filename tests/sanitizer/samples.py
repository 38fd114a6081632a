"""Samples for several tests of the sanitizer: the rules' own, and arbitrary values."""

import re
from dataclasses import dataclass
from typing import Final

from hypothesis import settings
from hypothesis import strategies as st

from relayscope.sanitizer import Value
from relayscope.sanitizer.rules.rules import shipped_rules
from relayscope.sanitizer.search.patterns import plain_sample

_MARKED = re.compile(r"<<(.*)>>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Sample:
    """A rule's sample: the text, and the secret in it."""

    rule: str
    text: str
    secret: str


def _sample(rule: str, marked: str) -> Sample:
    found = _MARKED.search(marked)
    assert found, f"{rule}: no secret is marked in a sample"
    return Sample(rule, plain_sample(marked), plain_sample(found[1]))


RULES: Final = shipped_rules()

OPTIONAL: Final = [rule.name for rule in RULES.patterns if rule.optional]

PATTERN_SAMPLES: Final = [
    _sample(rule.name, marked) for rule in RULES.patterns for marked in rule.samples
]

NAME_SAMPLES: Final = [(rule.name, name) for rule in RULES.keys for name in rule.samples]

UNTIMED: Final = settings(deadline=None)
"""For tests that prove facts and not speed, on machines that may be busy."""

CANARY: Final = "kanarienvogel"
"""A secret that looks like nothing, so that only its name gives it away."""

# Text rich in what the sanitizer looks at.
_PIECES: Final = [
    *(sample.text for sample in PATTERN_SAMPLES),
    *(name for _, name in NAME_SAMPLES),
    *"{}[]\":,\\=&?%;\n <>-'\0\ue000\ue001",
    *("[REDACTED:jwt]", "[HASHED:x:k.0123456789abcdef]", "\\u0070", "\\n", '\\"', "%70", "%22"),
    *("true", "null", "-1.5e3", '"a"', "data: ", '"name":', '"value":', "--token ", "é", "😀"),
    *("\ud83d", "eyJwYXNzd29yZCI6ICJ4In0=", "properties", '{"type":"string"}'),
]

SHOWN_BY_REPLACING: Final = [
    'token="a0"é<password>kanarienvogel</password>',
    "token: 'a0'é;kanarienvogel",
    "x token: &quot;a0&quot;e,kanarienvogel",
    '{"token":"x"},4111111111111111 {"token":"x"},4111111111111111',
    '{"token": 12345678901},4111111111111111',
    "amqp://u:p@ss:kanarie@h.mnpostgresql://user:kanarienvogel@db/x",
    "password,card\n482913,4111111111111111\n",
]
"""Texts in which replacing one secret shows another one."""

texts = st.one_of(
    st.text(st.characters(codec=None), max_size=40),
    st.lists(st.one_of(st.sampled_from(_PIECES), st.text(max_size=5)), max_size=12).map("".join),
)

values: st.SearchStrategy[Value] = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        texts,
        st.binary(max_size=40),
        texts.map(lambda text: text.encode("utf-8", "replace")),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
    max_leaves=12,
)

attributes: st.SearchStrategy[dict[str, Value]] = st.dictionaries(texts, values, max_size=5)
