"""Scenarios in which what waits on disk is damaged (R7)."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.fix_proxy import in_front_of
from tests.soak.field import RECOVERY_SECONDS, Field, wait_until_drained

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.fix_oracle import Oracle

_REQUESTS = 8


def spool_damaged(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R7: a spool is torn, cut short or has a flipped bit, in turn, when its collector is killed.

    A torn spool (half a record at the end, as a crash leaves it) must give everything back. The
    others cost the last request, whose only copy was destroyed, and are counted.
    """
    slowest = 0.0
    damages = (_tear, _cut, _flip)
    with in_front_of(ground.database_url) as (proxy, url):
        ground = replace(ground, database_url=url)
        with ground.running():
            ground.start()
            for number in range(rounds):
                proxy.stop()
                size, last = _spool_requests(ground, oracle)
                ground.kill()
                damage = damages[number % len(damages)]
                damage(_segment(ground), size, chance)
                if damage is not _tear:
                    oracle.release(last)
                proxy.start()
                started = time.monotonic()
                ground.start()
                _wait_until_reported(ground)
                wait_until_drained(ground)
                slowest = max(slowest, time.monotonic() - started)
    return slowest


def _spool_requests(ground: Field, oracle: Oracle) -> tuple[int, list[str]]:
    """Send requests one after the other.

    Returns:
        The spool's size in bytes before the last one, and the last one's records.
    """
    assert ground.collector is not None
    size = 0
    last: list[str] = []
    for number in range(_REQUESTS):
        size = _segment(ground).stat().st_size if number else 0
        last, request = oracle.issue("logs")
        oracle.attempts["logs"] += 1
        if (status := ground.collector.post("logs", request).status) != 200:
            raise AssertionError(f"answered with {status}")
        oracle.acknowledge(last)
    return size, last


def _segment(ground: Field) -> Path:
    """Return the one file with records."""
    (segment,) = (ground.data_dir / "outage").glob("*/*.segment")
    return segment


def _tear(segment: Path, size: int, chance: random.Random) -> None:
    """Append the beginning of a record that was never finished."""
    content = segment.read_bytes()
    record = content[size:]
    with segment.open("ab") as file:
        file.write(record[: chance.randrange(1, len(record))])


def _cut(segment: Path, size: int, chance: random.Random) -> None:
    content = segment.read_bytes()
    segment.write_bytes(content[: chance.randrange(size + 1, len(content))])


def _flip(segment: Path, size: int, chance: random.Random) -> None:
    content = bytearray(segment.read_bytes())
    content[chance.randrange(size, len(content))] ^= 1 << chance.randrange(8)
    segment.write_bytes(content)


def _wait_until_reported(ground: Field) -> None:
    assert ground.collector is not None
    deadline = time.monotonic() + RECOVERY_SECONDS
    while not ground.collector.events("outage spool damaged"):
        if time.monotonic() > deadline:
            raise AssertionError("the damage was not reported")
        time.sleep(0.02)
