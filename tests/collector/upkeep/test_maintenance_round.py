"""A round of maintenance, as `relayscope serve` does one each minute."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from relayscope.collector.config.settings import load
from relayscope.collector.maintenance.maintenance_round import MaintenanceRound
from relayscope.storage import Writer
from tests.storage.samples import NOW, batch, log

if TYPE_CHECKING:
    import pytest
    from sqlalchemy import Engine


def test_a_database_that_stays_too_large_is_warned_of_once(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Records of today are not removed: nothing else would say that the disk fills up."""
    writer = Writer(engine)
    writer.write([batch(logs=[log(at=NOW)])])
    writer.close()
    small, large = (
        load({}).model_copy(update={"max_database_bytes": most}) for most in (2**20, 2**40)
    )
    with caplog.at_level(logging.WARNING):
        do = MaintenanceRound(engine, large)
        do()
        assert caplog.messages == []
        do = MaintenanceRound(engine, small)
        for _ in range(3):
            do()
    (said,) = caplog.messages
    assert "larger than max_database_bytes" in said
