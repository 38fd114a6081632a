"""Promises about names that several parts have to spell alike."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from relayscope.collector.config.settings import Settings
from relayscope.conventions import attributes, environment, events
from relayscope.conventions.environment import PREFIX, VARIABLES
from relayscope.conventions.odd_traffic import OddTraffic

ROOT = Path(__file__).parents[2]
PARTS = ("instrumentation", "collector", "storage")

FOREIGN_ATTRIBUTES = {
    # Resources: OpenTelemetry's own, which SDKs put there.
    "host.name",
    "process.pid",
    "service.instance.id",
    "service.name",
    "service.version",
    "telemetry.sdk.language",
    # The sanitizer's.
    "relayscope.normalized",
}

SPELLED_IN_SQL = re.compile(
    r"attributes (?:->>|->|\?) '(?P<read>[^']+)'"
    r"|'(?P<named>(?:relayscope|mcp|gen_ai|jsonrpc|rpc)\.[a-z_.]+)'"
)


def names(module: ModuleType) -> dict[str, str]:
    """The constants of a module of conventions."""
    return {name: value for name, value in vars(module).items() if isinstance(value, str)}


def known_names() -> set[str]:
    """Return the names that a record may have."""
    constants = names(attributes) | names(events)
    return {value for name, value in constants.items() if name.isupper()} | FOREIGN_ATTRIBUTES


def sources(kind: str) -> Iterator[Path]:
    """The files of the project's own code, without the conventions and the sanitizer's rules."""
    for part in PARTS:
        for path in sorted((ROOT / part).rglob(f"*.{kind}")):
            if not {"conventions", "sanitizer"} & set(path.parts):
                yield path


def literals(path: Path) -> Iterator[tuple[str, int]]:
    """The strings in a Python file, as they are in expressions, with their lines."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value, node.lineno


@pytest.mark.parametrize(
    "module", [attributes, events, environment], ids=lambda each: each.__name__
)
def test_no_two_constants_have_one_name(module: ModuleType) -> None:
    """A name that is listed twice would be changed once."""
    values = [value for name, value in names(module).items() if name.isupper()]
    assert len(values) == len(set(values))


def test_python_spells_no_name_that_the_conventions_have() -> None:
    """Code imports the names of attributes, events and variables, so that a typo cannot run.

    But for what may import nothing, whose names `test_loader.py` tries.
    """
    ours = {
        name
        for name in known_names() - FOREIGN_ATTRIBUTES
        if name.startswith(("relayscope.", "mcp.", "gen_ai.", "jsonrpc.", "rpc."))
    }
    # Loggers are named as their packages, and so is the scope.
    ours -= {attributes.SCOPE}
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in sources("py")
        if path.name != "sitecustomize.py"
        for text, line in literals(path)
        if text in ours or text in VARIABLES
    ]
    assert not found, "\n".join(found)


def test_sql_reads_only_names_that_there_are() -> None:
    """Statements cannot import a name, so each that they spell is compared with the conventions."""
    known = known_names()
    unknown = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in sources("sql")
        for found in SPELLED_IN_SQL.finditer(path.read_text(encoding="utf-8"))
        if (name := found["read"] or found["named"]) not in known
    ]
    assert not unknown, "\n".join(unknown)


def test_sql_knows_only_marks_that_there_are() -> None:
    """A mark that no message has would be looked for in vain."""
    spelled = {
        mark
        for path in sources("sql")
        for among in re.findall(
            r"\bodd (?:=|<>|is not distinct from|(?:not )?in) \(?('[^)\n]+')",
            path.read_text(encoding="utf-8"),
        )
        for mark in re.findall(r"'(\w+)'", among)
    }
    assert spelled
    assert spelled <= set(OddTraffic)


def test_documents_speak_of_variables_that_there_are() -> None:
    """A user who copies a variable from a page sets one that is read."""
    known = VARIABLES | {PREFIX + name.upper() for name in Settings.model_fields}
    spelled = {
        (path.name, variable)
        for path in [*ROOT.glob("*.md"), *(ROOT / "otel-config").rglob("*")]
        if path.is_file()
        for variable in re.findall(rf"\b{PREFIX}[A-Z_]*[A-Z]\b", path.read_text(encoding="utf-8"))
    }
    assert {each for each in spelled if each[1] not in known} == set()
