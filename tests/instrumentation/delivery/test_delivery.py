"""Between a host and the database nothing is lost, and nothing comes twice."""

from collections.abc import Iterator

import pytest

from tests.soak.delivery import SCENARIOS, play
from tests.soak.field import Field, own_field

ROUNDS = {"host-killed": 3, "spool-damaged": 4, "forwarder-killed": 2, "collector-killed": 2}
"""Rounds of scenarios of which one round does not show everything."""


@pytest.fixture(scope="module")
def ground() -> Iterator[Field]:
    """A collector and a PostgreSQL for one scenario after the other."""
    with own_field() as field:
        yield field


@pytest.mark.parametrize("scenario", sorted(SCENARIOS))
def test_what_was_emitted_is_stored_once_or_counted(ground: Field, scenario: str) -> None:
    """This holds if processes are killed, connections cut, disks full or files damaged."""
    result = play(ground, scenario, ROUNDS.get(scenario, 1), seed=7)

    assert result.is_good, result
