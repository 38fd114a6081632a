"""Begins with the files that take longest: one that comes last keeps the whole run waiting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pytest

_TESTS: Final = Path(__file__).parent

_LONG: Final = (
    "collector/test_durability.py",
    "instrumentation/test_fidelity.py",
    "collector/levels/test_levels.py",
    "instrumentation/delivery/test_delivery.py",
    "instrumentation/test_hostile_sizes.py",
    "instrumentation/delivery/test_credentials.py",
    "test_docs.py",
    "test_bench.py",
    "test_demo.py",
)
"""From a quarter of an hour's run on two cores: all that took half a minute and would come late."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first; all others keep their order."""
    order = {_TESTS / name: place for place, name in enumerate(_LONG)}
    items.sort(key=lambda item: order.get(item.path, len(order)))
