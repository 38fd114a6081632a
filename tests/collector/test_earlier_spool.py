"""What waits in an outage spool of the first release, which a later one has to store."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import exists, select

from relayscope.collector.signals import LOGS, METRICS, SIGNALS, TRACES
from relayscope.storage import tables
from tests import otlp_samples, stored_otlp
from tests.collector.test_golden import without_empty_bodies
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.fix_collector import StartCollector

_LEFT = Path(__file__).with_name("outage_spool_of_0_1")
"""Three requests with every field set. A release that writes other rows, or another spool, goes on
reading these: they were answered with OK. So the files stay as they are."""


def test_what_the_first_release_left_on_disk_is_stored(
    start_collector: StartCollector, engine: Engine, tmp_path: Path
) -> None:
    """A collector that is upgraded during an outage loses nothing that was acknowledged."""
    shutil.copytree(_LEFT, tmp_path / "data" / "outage")
    collector = start_collector()

    def is_stored() -> bool:
        with engine.connect() as connection:
            return bool(connection.scalar(select(exists(tables.metric_point.select()))))

    eventually(is_stored)
    assert not collector.events("outage spool has a record of another version")
    expected = {
        TRACES: otlp_samples.traces(),
        LOGS: without_empty_bodies(otlp_samples.logs()),
        METRICS: otlp_samples.metrics(),
    }
    stored = {
        TRACES: stored_otlp.traces(engine),
        LOGS: stored_otlp.logs(engine),
        METRICS: stored_otlp.metrics(engine),
    }
    for signal in SIGNALS:
        assert stored_otlp.canonical(stored[signal]) == stored_otlp.canonical(expected[signal])
