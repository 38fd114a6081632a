"""The table of promises says which test proves which; here it is held to that."""

import ast
import re
from pathlib import Path

from tests.soak.delivery import SCENARIOS as DELIVERY_SCENARIOS
from tests.soak.durability import SCENARIOS

TESTS = Path(__file__).parent
NAMES = [f"R{number}" for number in (*range(1, 24), *range(25, 28))]
NAMES += [f"D{number}" for number in range(1, 9)]
NAMES += [f"L{number}" for number in range(1, 21)]
NAMES += [f"W{number}" for number in range(1, 19)]
NAMES += [f"S{number}" for number in range(1, 4)]
NAMES += [f"V{number}" for number in range(1, 6)]
NAMES += [f"U{number}" for number in range(1, 7)]
NAMES += [f"P{number}" for number in range(1, 13)]


def promises() -> list[list[str]]:
    """The cells of each row."""
    lines = (TESTS / "PROMISES.md").read_text().splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
    return rows[2:]


def has_test(module: str, name: str) -> bool:
    """Return whether a module has such a test."""
    path = TESTS / module
    tree = ast.parse(path.read_text()) if path.is_file() else ast.Module([], [])
    return any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body)


def test_each_promise_has_a_test() -> None:
    """Every name is in the table, and every test that it names exists."""
    table = promises()
    assert [row[0] for row in table] == NAMES
    for name, _, tests, _ in table:
        found = re.findall(r"`(\S+)::(test_\w+)`", tests)
        assert found, name
        assert [test for test in found if not has_test(*test)] == []


def test_each_soak_scenario_keeps_a_promise() -> None:
    """The table has all scenarios, and no other."""
    named = {scenario for row in promises() for scenario in row[3].split(", ") if scenario}
    assert named == SCENARIOS.keys() | DELIVERY_SCENARIOS.keys()
