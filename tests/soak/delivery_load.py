"""Scenarios in which the host does much, or strange things."""

from __future__ import annotations

from typing import TYPE_CHECKING

from relayscope.instrumentation.bounds import BODY_LIMIT_VARIABLE

if TYPE_CHECKING:
    import random

    from tests.fix_proxy import Proxy
    from tests.soak.field import Field
    from tests.soak.hosts import Hosts

BURST = 200_000
_MANY_ROUNDS = 10


def clock_jumps(_: Field, hosts: Hosts, __: Proxy, rounds: int, ___: random.Random) -> None:
    """The host's wall clock jumps by up to a year at each record."""
    for _round in range(rounds):
        hosts.start("300", "--clock-jumps").wait()


def fork_under_load(_: Field, hosts: Hosts, __: Proxy, rounds: int, ___: random.Random) -> None:
    """A process forks three times while another of its threads emits."""
    for _round in range(rounds):
        hosts.start("500", "--then", "fork").wait()


def burst(_: Field, hosts: Hosts, __: Proxy, rounds: int, ___: random.Random) -> None:
    """200,000 records as fast as they can be made, once in ten rounds; a tenth in few rounds."""
    if rounds < _MANY_ROUNDS:
        hosts.start(str(BURST // 10)).wait()
    for _round in range(rounds // _MANY_ROUNDS):
        hosts.start(str(BURST)).wait()


def large_bodies(_: Field, hosts: Hosts, __: Proxy, rounds: int, ___: random.Random) -> None:
    """5 MB bodies among small ones."""
    hosts.variables[BODY_LIMIT_VARIABLE] = str(6_000_000)
    for _round in range(rounds):
        hosts.start("60", "--large-every", "20").wait()
