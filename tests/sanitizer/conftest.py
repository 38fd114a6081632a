"""Fixtures that several tests of the sanitizer need."""

import pytest

from relayscope.sanitizer.search import multi_search


@pytest.fixture
def without_hyperscan(monkeypatch: pytest.MonkeyPatch) -> None:
    """A platform for which hyperscan has no wheel."""
    monkeypatch.setattr(multi_search, "hyperscan", None)
