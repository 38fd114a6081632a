"""Promises about the fast path where the SDK is not what it was: nothing is lost."""

import ast
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import pytest
from opentelemetry import propagators, sdk

from relayscope.instrumentation import fast
from relayscope.instrumentation.delivery import encoding
from tests.fix_programs import PROGRAMS, host_environment

_CALL: Final = str(PROGRAMS / "recorded_call.py")
_ID: Final = re.compile(r"\b[0-9a-f]{16}(?:[0-9a-f]{16})?\b")
_TIMES: Final = frozenset({"time", "observed_time", "start_time", "end_time"})


def _private_names() -> list[str]:
    """Return the private names of OpenTelemetry's in what makes and packs spans and records."""
    used: set[str] = set()
    for module in chain(_modules(fast), _modules(encoding)):
        for node in ast.walk(ast.parse(module)):
            match node:
                case ast.Attribute(attr=name) | ast.Constant(value=str(name)):
                    used.add(name)
    theirs = "".join(chain.from_iterable(map(_modules, (sdk, propagators))))
    known = set(re.findall(r"\b_[a-z]\w*", theirs))
    return sorted(used & known)


def _modules(package: ModuleType) -> Iterator[str]:
    for folder in package.__path__:
        for path in Path(folder).rglob("*.py"):
            yield path.read_text()


def _recorded(*command: str) -> tuple[list[Any], str]:
    """Return what is recorded of a call, with ids by their order and without times, and stderr."""
    ran = subprocess.run(
        [sys.executable, *command],
        env=host_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    ids: dict[str, str] = {}
    named = _ID.sub(lambda found: ids.setdefault(found[0], f"id {len(ids)}"), ran.stdout)
    records = [json.loads(line) for line in named.splitlines()]
    return [{key: record[key] for key in record.keys() - _TIMES} for record in records], ran.stderr


@cache
def _as_installed() -> list[Any]:
    records, said = _recorded(_CALL)
    assert not said
    return records


def test_the_fast_path_knows_the_installed_sdk() -> None:
    """It is not left without a word: all of a call is recorded, and nothing is said."""
    kinds = [record["kind"] for record in _as_installed()]
    assert (kinds.count(1), kinds.count(2)) == (9 + 4, 5)


@pytest.mark.parametrize("name", _private_names())
def test_without_a_private_name_of_the_sdk_everything_is_recorded_alike(name: str) -> None:
    """A release in which the name is another one costs time, and no record and no attribute."""
    records, said = _recorded(str(PROGRAMS / "renamed_sdk.py"), name, _CALL)

    assert records == _as_installed()
    assert "Traceback" not in said
