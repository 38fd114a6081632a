"""Scenarios in which there is no room for what waits for PostgreSQL (R6)."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.fix_oracle import Oracle, Producers
from tests.fix_proxy import in_front_of
from tests.soak.field import Field, wait_until_drained, wait_until_refused

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

_LARGE = 1000
"""Records that a request adds to the spool at a time, so that it is full soon."""


def spool_full(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R6: the outage spool has its bound; refusals are retryable, and end by themselves."""
    return _fill(
        replace(ground, environment={"RELAYSCOPE_OUTAGE_MAX_BYTES": str(2**20)}),
        oracle,
        rounds,
        chance,
    )


def disk_full(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R6: the spool's disk has its end.

    Only root may mount a small disk; for others the spool's bound must do.
    """
    with small_disk(ground.data_dir / "outage") as mounted:
        if not mounted:
            return spool_full(ground, oracle, rounds, chance)
        return _fill(ground, oracle, rounds, chance)


def _fill(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    slowest = 0.0
    with in_front_of(ground.database_url) as (proxy, url):
        ground = replace(ground, database_url=url)
        with ground.running():
            ground.start()
            with Producers(oracle, ground.grpc, ground.http, pause=0.05):
                for _ in range(rounds):
                    time.sleep(chance.uniform(0.1, 0.4))
                    proxy.stop()
                    wait_until_refused(ground, oracle, _LARGE)
                    proxy.start()
                    slowest = max(slowest, wait_until_drained(ground))
            wait_until_drained(ground)
    return slowest


@contextmanager
def small_disk(folder: Path) -> Iterator[bool]:
    """Mount 8 MiB of disk at a folder; yield whether that could be done."""
    folder.mkdir(parents=True, exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and (
        subprocess.run(mount, check=False, capture_output=True).returncode == 0
    )
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)
