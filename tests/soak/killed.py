"""Scenarios in which the collector or PostgreSQL is ended under load (R1, R2, R11)."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

from tests.fix_oracle import Oracle, Producers
from tests.fix_sdk import sdk_clients
from tests.soak.field import Field, postmaster, wait_until_drained, wait_until_replaced

if TYPE_CHECKING:
    import random


def collector_killed(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R1: kill -9 of the collector during load; return the slowest recovery in seconds."""
    slowest = 0.0
    with ground.running():
        ground.start()
        with (
            Producers(oracle, ground.grpc, ground.http),
            sdk_clients(oracle, ground.grpc, ground.http),
        ):
            for _ in range(rounds):
                time.sleep(chance.uniform(0.2, 1.2))
                ground.kill()
                killed = time.monotonic()
                ground.start()
                slowest = max(slowest, time.monotonic() - killed)
        wait_until_drained(ground)
    return slowest


def database_killed(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R2: PostgreSQL is killed during load, and started again by who looks after it.

    SIGKILL ends it as a crash of the machine's process table would; SIGQUIT is what
    `pg_ctl stop -m immediate` sends.
    """
    slowest = 0.0
    with ground.running():
        ground.start()
        with (
            Producers(oracle, ground.grpc, ground.http),
            sdk_clients(oracle, ground.grpc, ground.http),
        ):
            for _ in range(rounds):
                time.sleep(chance.uniform(0.2, 1.2))
                pid = postmaster(ground.data_dir)
                os.kill(pid, chance.choice((signal.SIGKILL, signal.SIGQUIT)))
                killed = time.monotonic()
                wait_until_replaced(ground.data_dir, pid)
                wait_until_drained(ground)
                slowest = max(slowest, time.monotonic() - killed)
        wait_until_drained(ground)
    return slowest


def both_killed(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """PostgreSQL is killed, and then the collector while requests wait in its outage spool."""
    slowest = 0.0
    with ground.running():
        ground.start()
        with Producers(oracle, ground.grpc, ground.http):
            for _ in range(rounds):
                time.sleep(chance.uniform(0.2, 0.8))
                pid = postmaster(ground.data_dir)
                os.kill(pid, signal.SIGKILL)
                time.sleep(chance.uniform(0.0, 0.4))
                ground.kill()
                killed = time.monotonic()
                wait_until_replaced(ground.data_dir, pid)
                ground.start()
                slowest = max(slowest, time.monotonic() - killed)
        wait_until_drained(ground)
    return slowest


def stopped_gracefully(ground: Field, oracle: Oracle, rounds: int, chance: random.Random) -> float:
    """R11: SIGTERM while requests come; nothing is acknowledged after it that is not stored."""
    slowest = 0.0
    with ground.running():
        ground.start()
        with Producers(oracle, ground.grpc, ground.http):
            for _ in range(rounds):
                time.sleep(chance.uniform(0.1, 0.6))
                asked = time.monotonic()
                code = ground.stop()
                slowest = max(slowest, time.monotonic() - asked)
                if code != 0:
                    raise AssertionError(f"relayscope serve ended with {code}")
                ground.start()
        wait_until_drained(ground)
    return slowest
