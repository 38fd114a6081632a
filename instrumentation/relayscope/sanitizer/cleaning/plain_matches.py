"""Finds the secrets that rules match in text that is spelled as it reads.

That is what most messages with a token have. It comes to what `text_search` would find, with a
third of the calls; what depends on the text around it is left to that.
"""

from collections.abc import Iterable
from typing import Final

from relayscope.sanitizer.findings import Finding
from relayscope.sanitizer.model import Action, PatternRule
from relayscope.sanitizer.rules.replacements import Replacements
from relayscope.sanitizer.search.patterns import secrets
from relayscope.sanitizer.spellings.views import SIGNS

_BLOCK: Final = "-----"
"""A block in PEM, which may go on in the next string."""


def plain_matches(
    text: str, rules: Iterable[PatternRule], replacements: Replacements
) -> list[Finding] | None:
    """The findings of some rules, in the rules' order; None if one depends on what is around it.

    Args:
        text: a text in which nothing but what rules match, and names, is suspicious.
        rules: the rules that could match.
        replacements: makes findings.
    """
    if any(map(text.__contains__, SIGNS)):
        return None
    found: list[Finding] = []
    for rule in rules:
        if rule.check or rule.action is Action.DROP:
            return None
        for start, end in secrets(rule, text):
            secret = text[start:end]
            if '"' in secret or _BLOCK in secret or secret.isdecimal():
                return None
            if finding := replacements.finding(rule, text, (start, end)):
                found.append(finding)
    return found
