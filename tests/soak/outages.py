"""Scenarios in which PostgreSQL does not answer for a while (R3, R4, R5)."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import text

from relayscope.storage import create_engine
from tests.fix_oracle import Oracle, Producers
from tests.fix_proxy import Proxy, in_front_of
from tests.fix_sdk import sdk_clients
from tests.soak.field import Field, wait_until_drained, wait_until_spooled

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

_MOST_MEMORY = 200 * 2**20

_SDK_SECONDS = 10
"""After which an SDK gives up what it has, by default."""

_HURRIED, _UNHURRIED = 0.01, 0.05
"""Seconds between two requests of a producer; in a long outage it is the time that counts."""

_HANG_ENVIRONMENT = {"RELAYSCOPE_ANSWER_TIMEOUT": "2"}


def database_away(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R3: PostgreSQL cannot be reached; SDKs with their defaults and others go on sending."""
    return _away(ground, oracle, rounds, lambda: chance.uniform(0.0, 3.0))


def database_away_a_minute(ground: Field, oracle: Oracle, rounds: int, _: random.Random) -> float:
    """R3: for six times as long as an SDK tries to send what it has; memory stays bounded."""
    return _away(ground, oracle, rounds, lambda: 6 * _SDK_SECONDS, _UNHURRIED)


def database_away_for_long(ground: Field, oracle: Oracle, rounds: int, _: random.Random) -> float:
    """R3: for longer than an SDK tries to send what it has."""
    return _away(ground, oracle, rounds, lambda: 1.3 * _SDK_SECONDS, _UNHURRIED)


def _away(
    ground: Field,
    oracle: Oracle,
    rounds: int,
    outage: Callable[[], float],
    pause: float = _HURRIED,
) -> float:
    slowest = 0.0
    before = set(oracle.issued)
    with in_front_of(ground.database_url) as (proxy, url):
        ground = replace(ground, database_url=url)
        with ground.running():
            ground.start()
            with (
                Producers(oracle, ground.grpc, ground.http, pause=pause),
                sdk_clients(oracle, ground.grpc, ground.http),
            ):
                for _ in range(rounds):
                    time.sleep(0.7)
                    proxy.stop()
                    wait_until_spooled(ground, 5)
                    time.sleep(outage())
                    _check_that_it_says_so(ground)
                    proxy.start()
                    slowest = max(slowest, wait_until_drained(ground))
            wait_until_drained(ground)
    # What an SDK could not deliver it drops without a word, so an SDK's data is lost unless all
    # of it was acknowledged.
    unsent = oracle.issued.keys() - before - oracle.acknowledged
    if unsent:
        raise AssertionError(f"{len(unsent)} records were given up by their clients")
    return slowest


def _check_that_it_says_so(ground: Field) -> None:
    """While PostgreSQL is away, `/readyz` says so, and memory is bounded."""
    assert ground.collector is not None
    if (status := ground.collector.ask("GET", "/readyz").status) != 503:
        raise AssertionError(f"/readyz answers {status}")
    if (peak := ground.collector.peak_memory()) > _MOST_MEMORY:
        raise AssertionError(f"the collector held {peak / 2**20:.0f} MiB")


def database_hangs(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R4, R5: PostgreSQL is deaf, slow or locked; whoever sends gets an answer in time."""
    slowest = 0.0
    with in_front_of(ground.database_url) as (proxy, url):
        ground = replace(ground, database_url=url, environment=_HANG_ENVIRONMENT)
        with ground.running():
            ground.start()
            with Producers(oracle, ground.grpc, ground.http):
                for number in range(rounds):
                    time.sleep(chance.uniform(0.2, 0.8))
                    with _HANGS[number % len(_HANGS)](ground, proxy):
                        wait_until_spooled(ground, 5)
                    slowest = max(slowest, wait_until_drained(ground))
            wait_until_drained(ground)
    return slowest


@contextmanager
def _deaf(_: Field, proxy: Proxy) -> Iterator[None]:
    proxy.deafen()
    yield
    proxy.stop()
    proxy.start()


@contextmanager
def _slow(_: Field, proxy: Proxy) -> Iterator[None]:
    proxy.slow_down(1_000)
    yield
    proxy.stop()
    proxy.start()


@contextmanager
def _locked(ground: Field, _: Proxy) -> Iterator[None]:
    engine = create_engine(ground.database_url)
    with engine.begin() as other:
        other.execute(text("lock table relayscope_store.log in access exclusive mode"))
        yield
    engine.dispose()


_HANGS = (_deaf, _locked, _slow)
