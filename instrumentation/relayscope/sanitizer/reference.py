"""Writes RULES.md: `python -m relayscope.sanitizer.reference > RULES.md`.

A test asserts the file equal to what this prints, so that documents and code cannot part.
"""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from importlib.resources import files

from relayscope.sanitizer.rules.rules import shipped_rules

from .model import KeyRule, Limits, PatternRule

_HEAD = "rules_head.md"


def reference() -> str:
    """The reference of the default rules, as Markdown."""
    rules = shipped_rules()
    head = files("relayscope.sanitizer").joinpath(_HEAD).read_text(encoding="utf-8")
    return "\n".join(
        [
            head,
            *_limits(),
            "",
            "## Default rules: names",
            "",
            *_names(rules.keys),
            "",
            "Harmless as the last word of a name: "
            + ", ".join(f"`{word}`" for word in rules.harmless_endings)
            + ".",
            "",
            "## Default rules: patterns",
            "",
            *_patterns(rule for rule in rules.patterns if not rule.optional),
            "",
            "Off unless enabled:",
            "",
            *_patterns(rule for rule in rules.patterns if rule.optional),
            "",
            "## Allowed by default",
            "",
            "Names: " + ", ".join(f"`{name}`" for name in sorted(rules.allowed.names)) + ".",
            "",
            "Secrets that match one of: " + ", ".join(map(_code, rules.allowed.values)) + ".",
            "",
        ]
    )


def _limits() -> Iterator[str]:
    defaults = Limits()
    meanings = {
        "text": "longest text, in characters",
        "key": "longest name, in characters",
        "depth": "deepest nesting of values",
        "nesting": "how often text may be hidden in text: JSON in a JSON string, base64, ...",
        "findings": "secrets that one text may have",
    }
    yield "| limit | default | what it bounds |"
    yield "|---|---|---|"
    for limit in fields(Limits):
        value = getattr(defaults, limit.name)
        shown = "none" if value is None else f"{value:,}"
        yield f"| `{limit.name}` | {shown} | {meanings[limit.name]} |"


def _names(rules: Iterable[KeyRule]) -> Iterator[str]:
    yield "| rule | action | what | anywhere in a name | as its last words | but not |"
    yield "|---|---|---|---|---|---|"
    for rule in rules:
        phrases = (", ".join(each) for each in (rule.contains, rule.ends, rule.excepts))
        yield f"| `{rule.name}` | {rule.action} | {rule.about} | {' | '.join(phrases)} |"


def _patterns(rules: Iterable[PatternRule]) -> Iterator[str]:
    yield "| rule | action | what | pattern | check |"
    yield "|---|---|---|---|---|"
    for rule in rules:
        check = rule.check.__name__ if rule.check else ""
        pattern = _code(rule.pattern)
        yield f"| `{rule.name}` | {rule.action} | {rule.about} | {pattern} | {check} |"


def _code(text: str) -> str:
    """Text as code in a cell of a table, where a bar would end the cell."""
    ticks = "``" if "`" in text else "`"
    return ticks + text.replace("|", "\\|") + ticks


if __name__ == "__main__":
    print(reference(), end="")  # noqa: T201 - printing is what this is for.
