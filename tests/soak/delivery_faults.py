"""Scenarios in which somebody on the way from a host to the collector is killed or cut off."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from signal import SIGKILL
from typing import TYPE_CHECKING

from tests.fix_delivery import forwarders

if TYPE_CHECKING:
    import random

    from tests.fix_proxy import Proxy
    from tests.soak.field import Field
    from tests.soak.hosts import Hosts

_MANY = "1000000"
_STEADY = ("--pause", "0.001")
_LONGEST_ABSENCE = 300.0
_SHORT_ABSENCE = 2.0
_LONG_PRESENCE = 10.0
_MANY_ROUNDS = 10


def host_killed(_: Field, hosts: Hosts, __: Proxy, rounds: int, chance: random.Random) -> None:
    """Kill -9 of the host at a random moment, while it emits as fast as it can."""
    for _round in range(rounds):
        host = hosts.start(_MANY)
        host.wait_for(1)
        time.sleep(chance.uniform(0.0, 0.5))
        host.kill()


def two_hosts_killed(_: Field, hosts: Hosts, __: Proxy, rounds: int, chance: random.Random) -> None:
    """Processes of one component share a folder, a forwarder, and the moment of their death."""
    for _round in range(rounds):
        both = [hosts.start(_MANY), hosts.start(_MANY)]
        for host in both:
            host.wait_for(1)
        time.sleep(chance.uniform(0.0, 0.3))
        for host in both:
            host.kill()


def forwarder_killed(_: Field, hosts: Hosts, __: Proxy, rounds: int, chance: random.Random) -> None:
    """Kill -9 of the forwarder at random moments: another one takes over where it was."""
    host = hosts.start(_MANY, *_STEADY)
    host.wait_for(1)
    for _round in range(rounds):
        time.sleep(chance.uniform(0.3, 2.5))
        for pid in forwarders(hosts.spools):
            with suppress(ProcessLookupError):
                os.kill(pid, SIGKILL)
    host.kill()


def collector_killed(
    ground: Field, hosts: Hosts, _: Proxy, rounds: int, chance: random.Random
) -> None:
    """Kill -9 of the collector under load: during a request, or after its commit."""
    host = hosts.start(_MANY, *_STEADY)
    host.wait_for(1)
    for _round in range(rounds):
        time.sleep(chance.uniform(0.2, 1.2))
        ground.kill()
        ground.start()
    host.kill()


def collector_away(
    _: Field, hosts: Hosts, proxy: Proxy, rounds: int, chance: random.Random
) -> None:
    """Nobody listens, for 0.1 s to 5 min; in few rounds, for 2 s at most."""
    host = hosts.start(_MANY, *_STEADY)
    host.wait_for(1)
    longest = _LONGEST_ABSENCE if rounds >= _MANY_ROUNDS else _SHORT_ABSENCE
    for _round in range(rounds):
        # Sometimes long enough for a forwarder that tries every 5 s to notice, sometimes not.
        time.sleep(chance.uniform(0.1, min(longest, _LONG_PRESENCE)))
        proxy.stop()
        time.sleep(0.1 * (longest / 0.1) ** chance.random())
        proxy.start()
    host.kill()


def connection_cut(
    _: Field, hosts: Hosts, proxy: Proxy, rounds: int, chance: random.Random
) -> None:
    """The connection breaks in the middle of large requests."""
    host = hosts.start(_MANY, "--bytes", "20000", "--pause", "0.005")
    host.wait_for(1)
    for _round in range(rounds):
        proxy.slow_down(4e6)
        time.sleep(chance.uniform(0.3, 1.0))
        proxy.stop()
        proxy.start()
    proxy.start()
    host.kill()


def answer_lost(_: Field, hosts: Hosts, proxy: Proxy, rounds: int, chance: random.Random) -> None:
    """Lose what is on its way at one moment, in both directions; then break all connections."""
    host = hosts.start(_MANY)
    host.wait_for(1)
    for _round in range(rounds):
        time.sleep(chance.uniform(0.1, 0.6))
        proxy.deafen()
        time.sleep(0.2)
        proxy.stop()
        proxy.start()
        if len(host.marks) > 100_000:  # enough to be sent for a while
            host.kill()
            host = hosts.start(_MANY)
            host.wait_for(1)
    host.kill()
