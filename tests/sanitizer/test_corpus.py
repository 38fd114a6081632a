"""The corpus: what must be found, and what must be left alone (`corpus/README.md`)."""

from collections import Counter
from typing import Final

import pytest

from relayscope.sanitizer import Rules, Sanitizer
from tests.sanitizer.corpus.judging import Verdict, failures, harmless, judged, secrets
from tests.sanitizer.corpus.texts import known

_KNOWN: Final = known()


@pytest.fixture(scope="module")
def failed() -> list[Verdict]:
    """Examples that the default rules get wrong."""
    return failures(Sanitizer.default())


def test_every_secret_of_the_corpus_is_found(failed: list[Verdict]) -> None:
    """No secret is left, in any format, but for those that are listed with their reason."""
    missed = [verdict for verdict in failed if verdict.example.secrets]
    assert _unlisted(missed) == []


def test_every_harmless_text_of_the_corpus_is_left_alone(failed: list[Verdict]) -> None:
    """It comes back as the same object, but for those that are listed with their reason."""
    changed = [verdict for verdict in failed if not verdict.example.secrets]
    assert _unlisted(changed) == []


def test_what_is_listed_has_a_reason_and_is_in_the_corpus() -> None:
    """A list of failures that nobody can explain is none."""
    assert all(_KNOWN.values())
    ids = {example.id for example in [*secrets(), *harmless()]}
    assert _KNOWN.keys() - ids == set()


def test_every_example_has_a_name_of_its_own() -> None:
    """A failure can be told by its name."""
    ids = Counter(example.id for example in [*secrets(), *harmless()])
    assert [name for name, times in ids.items() if times > 1] == []


def test_a_sanitizer_that_finds_nothing_fails_on_every_secret() -> None:
    """No secret of the corpus is judged found because it is not there."""
    untouched = Sanitizer.from_rules(Rules.from_mapping({"steps": []}))
    assert [verdict.example.id for verdict in judged(untouched, secrets()) if verdict.right] == []


def _unlisted(verdicts: list[Verdict]) -> list[str]:
    return [
        f"{verdict.example.id}: {verdict.shown}"
        for verdict in verdicts
        if verdict.example.id not in _KNOWN
    ]
