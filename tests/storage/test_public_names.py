"""The names that storage gives to others."""

from types import ModuleType

import pytest

from relayscope import storage


@pytest.mark.parametrize("name", storage.__all__)
def test_a_public_name_is_there_and_no_module(name: str) -> None:
    """It is imported when it is used, and no module of that name stands in its way."""
    assert not isinstance(getattr(storage, name), ModuleType)


def test_another_name_is_refused() -> None:
    """As by any module."""
    with pytest.raises(AttributeError, match="has no attribute 'Migrator'"):
        _ = storage.Migrator  # type: ignore[attr-defined]  # that it is not there is what is tried
