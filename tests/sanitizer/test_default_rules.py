"""Every default rule finds its own samples, wherever they stand (D1), and leaves the rest alone."""

import json
from pathlib import Path
from typing import Final

import pytest

import relayscope.sanitizer
from relayscope.sanitizer import KeyRule, PatternRule, Rules, Sanitizer, Step, Value
from relayscope.sanitizer.reference import reference
from tests.sanitizer.places import PLACES, holds
from tests.sanitizer.samples import CANARY, NAME_SAMPLES, OPTIONAL, PATTERN_SAMPLES, RULES, Sample

SANITIZER: Final = Sanitizer.default()

_ALL = Rules.from_mapping({"enable": OPTIONAL})
PATTERNS_ALONE: Final = {
    rule.name: Sanitizer.from_rules(
        Rules(steps=frozenset({Step.PATTERNS}), patterns=(rule,), keyring=_ALL.keyring)
    )
    for rule in _ALL.patterns
}


@pytest.mark.parametrize("sample", PATTERN_SAMPLES, ids=lambda sample: sample.rule)
def test_a_patterns_secret_is_gone_from_every_place(sample: Sample) -> None:
    """The secret is in no form in what comes out, and the rule that found it is counted."""
    sanitizer = PATTERNS_ALONE[sample.rule]
    for place, put in PLACES.items():
        before = sanitizer.hits().get(sample.rule, 0)
        cleaned = sanitizer.value(put(sample.text))
        assert not holds(cleaned, sample.secret), place
        assert sanitizer.hits()[sample.rule] == before + 1, place


@pytest.mark.parametrize(("rule", "name"), NAME_SAMPLES)
def test_a_sensitive_names_value_is_gone_from_every_place(rule: str, name: str) -> None:
    """The same for secrets that only their name gives away."""
    for place, put in PLACES.items():
        before = SANITIZER.hits().get(rule, 0)
        cleaned = SANITIZER.value(put(json.dumps({name: CANARY})))
        assert not holds(cleaned, CANARY), place
        assert SANITIZER.hits()[rule] > before, place


@pytest.mark.parametrize(("rule", "name"), NAME_SAMPLES)
def test_a_sensitive_attribute_is_replaced(rule: str, name: str) -> None:
    """An attribute's own name gives its value away, whatever its type."""
    secrets: list[Value] = [CANARY, [CANARY], {"x": CANARY}, CANARY.encode(), 4711]
    for secret in secrets:
        cleaned = SANITIZER.attributes({"before": 1, name: secret})
        assert str(cleaned[name]).startswith((f"[REDACTED:{rule}]", f"[HASHED:{rule}:"))
        assert cleaned["before"] == 1


EVERYDAY: Final = [
    name
    for line in Path(__file__).with_name("everyday_names.txt").read_text().splitlines()
    if not line.startswith("#")
    for name in line.split()
]


@pytest.mark.parametrize("name", EVERYDAY)
def test_an_everyday_name_is_left_alone(name: str) -> None:
    """Names that sound like a secret and are none keep their value, in attributes and in JSON."""
    attributes: dict[str, Value] = {name: CANARY, "x": {name: CANARY}}
    assert SANITIZER.attributes(attributes) is attributes
    text = json.dumps({name: CANARY})
    assert SANITIZER.text(text) is text


@pytest.mark.parametrize(
    "text",
    [
        "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
        "Unexpected token: punc (})",
        "basic functionality and a bearer of news",
        "https://example.org:8080/a/b@c?d=e&f=g",
        "git@github.com:org/repo.git and ssh://git@github.com/org/repo",
        "task-runner-42-is-a-long-name risk-assessment-2026",
        "1763889000000000000 4111111111111112 20261123090600",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "the secret of success: work",
        '{"name": "get_token", "arguments": {"value": 1}}',
        '{"required": ["token", "password"]}',
        '{"password": null, "has_token": true, "secret": "", "cookie": [], "auth": {}}',
        "PASSWORD=${DB_PASSWORD} TOKEN=*** secret: null",
        "$.password and params.token are wrong",
    ],
)
def test_everyday_text_is_left_alone(text: str) -> None:
    """Text that comes close to a rule passes as the same object."""
    assert SANITIZER.text(text) is text


def test_optional_rules_are_off_unless_enabled() -> None:
    """Addresses and telephone numbers pass by default."""
    text = "ada@example.org called +49 30 901820 from 192.0.2.17"
    assert SANITIZER.text(text) is text
    everything = Sanitizer.from_rules(_ALL)
    everything.text(text)
    assert everything.hits() == {"email": 1, "phone": 1, "ip-address": 1}


def test_of_rules_that_find_the_same_the_first_names_it() -> None:
    """The rest of the text makes no difference: OpenAI's rule finds Anthropic's keys, too."""
    openai, anthropic = "sk-" + "0123456789abcdef" * 2, "sk-ant-api03-" + "aBcDeFgHiJ0123456789_-AA"
    for text in (f"{openai} {anthropic}", json.dumps({"a": openai, "b": anthropic})):
        cleaned = SANITIZER.text(text)
        assert cleaned == text.replace(openai, "[REDACTED:openai-key]").replace(
            anthropic, "[REDACTED:anthropic-key]"
        )


def test_every_rule_has_samples_and_a_description() -> None:
    """No rule can be added without what tests and documents it."""
    rules: list[KeyRule | PatternRule] = [*RULES.keys, *RULES.patterns]
    for rule in rules:
        assert rule.samples, rule.name
        assert rule.about, rule.name


def test_the_documented_rules_are_the_rules() -> None:
    """RULES.md is what `python -m relayscope.sanitizer.reference` prints (D6)."""
    path = Path(str(relayscope.sanitizer.__file__)).with_name("RULES.md")
    assert path.read_text(encoding="utf-8") == reference()
