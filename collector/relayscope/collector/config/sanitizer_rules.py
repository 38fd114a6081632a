"""The sanitizer rules that the settings ask for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relayscope.collector.config.yaml_file import read_yaml_file
from relayscope.collector.errors import StartError
from relayscope.sanitizer import Rules, RulesError, Sanitizer

if TYPE_CHECKING:
    from pathlib import Path

    from relayscope.collector.config.settings import Settings


def load_rules(settings: Settings) -> Rules:
    """The rules of the settings' file, or the default ones, with or without binary contents.

    Raises:
        StartError: the file cannot be used; names it and the rule.
    """
    path = settings.sanitizer_rules
    rules = Rules.default() if path is None else _from_file(path)
    return rules.keeping_binary() if settings.keep_binary else rules


def _from_file(path: Path) -> Rules:
    try:
        mapping = read_yaml_file(path)
    except StartError as error:
        raise StartError(f"sanitizer_rules: {error}") from None
    if not isinstance(mapping, dict):
        raise StartError(f"sanitizer_rules: {path}: expected a mapping of rules")
    try:
        rules = Rules.from_mapping(mapping)
        Sanitizer.from_rules(rules)  # whether they can work together is known only now
    except RulesError as error:
        raise StartError(f"sanitizer_rules: {path}: {error}") from None
    return rules
