"""A process whose end was never sent may have emitted more, and nobody says that it has not."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import psycopg
from psycopg.rows import dict_row

from tests.fix_collector import collector_environment
from tests.fix_command import warm_relayscope
from tests.fix_delivery import end_forwarders
from tests.fix_levels import Host, recorded
from tests.fix_programs import eventually, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fix_collector import Collector


def test_what_was_never_sent_is_unknown_and_not_zero(
    shared_collector: Collector, shared_database_url: str, spool_dir: Path
) -> None:
    """A host and its forwarder are killed, and what they had not sent is gone with their folder."""
    with Host("cut-off", shared_collector) as host:
        first = host.call()
        eventually(lambda: len(recorded(shared_database_url, "cut-off", first)) == 2)
        # Nobody is left who could send the next call.
        end_forwarders(spool_dir)
        last = host.call()
        host.process.kill()
        host.process.wait()
        end_forwarders(spool_dir)
        shutil.rmtree(spool_dir / "cut-off")

    assert recorded(shared_database_url, "cut-off", last) == []
    url = shared_database_url.replace("+psycopg", "")
    with psycopg.connect(url, row_factory=dict_row) as connection:
        found = connection.execute(
            "select * from relayscope.delivery where component = 'cut-off'"
        ).fetchall()
    assert found
    for row in found:
        assert row["missing"] == 0
        assert row["unknown_since"] == row["last_time"]

    finished = run(
        [*warm_relayscope(), "stats", "--json"],
        collector_environment({"RELAYSCOPE_DATABASE_URL": shared_database_url}),
    )
    told = [json.loads(line) for line in finished.stdout.splitlines()]
    (whole,) = (row for row in told if row["view"] == "delivery" and row["component"] == "cut-off")
    assert whole["unknown_since"]
