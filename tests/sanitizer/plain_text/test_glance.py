"""Decisions at a glance are those that would have been made otherwise."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relayscope.sanitizer import Rules
from relayscope.sanitizer.names.names import Names
from relayscope.sanitizer.plain_text import glance
from relayscope.sanitizer.plain_text.plain_text import Pair, pairs
from tests.examples import examples

_NAMES = re.compile(r"password|token|auth|cookie|PWD")
_PIECES = [
    *("password", "token", "auth", "cookie", "PWD", "user", "self.", "x", " ", " ", "\n", "\n  "),
    *("=", " = ", ": ", ":", " == ", " != ", ":=", "?: ", "a", "a.b", "abc1", "hunter2x9", "str"),
    *("None", "foo(", "foo(bar)", ")", ",", ", ", ";", "&", "&a=b", '"', "'", '"hunter2x9"', "."),
    *(" or ", " || ", "f(x) or 'hunter2x9'", "String('x')", "the ", "new ", "}", "12", "123456"),
    *(
        "return x\nimport y\nself.z\ndef f():\n",
        "</td><td>hunter2x9</td>",
        "Basic ",
        "-> ",
        "[str]",
        *("if ", "if not ", "case ", "for x in ", "await ", "type ", "<string>(x)", "(x, ", "</b>"),
        *("see ", "./a.b", "%d", "`", "parsed by us", "is ", "ask Bob."),
    ),
]


@pytest.fixture(scope="module")
def names() -> Names:
    """The names of the default rules."""
    rules = Rules.default()
    return Names(rules.keys, rules.harmless_endings, rules.allowed.names)


@settings(max_examples=examples(600), deadline=None)
@given(pieces=st.lists(st.sampled_from(_PIECES), min_size=2, max_size=16))
def test_a_glance_decides_what_a_long_look_decides(names: Names, pieces: list[str]) -> None:
    """It only saves time."""
    text = "".join(pieces)
    seen = _pairs(text, names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(glance, "equals", lambda *_: None)
        patch.setattr(glance, "colon", lambda *_: None)
        patch.setattr(glance, "code", lambda *_: False)
        assert seen == _pairs(text, names)


def _pairs(text: str, names: Names) -> list[Pair]:
    return list(pairs(text, names, [found.span() for found in _NAMES.finditer(text)]))
