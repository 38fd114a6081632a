"""Scenarios in which the host does much, or strange things."""

from __future__ import annotations

import resource
from typing import TYPE_CHECKING

from relayscope.conventions.environment import RELAYSCOPE_BODY_LIMIT, RELAYSCOPE_KEEP_BINARY
from tests.fix_delivery import end_forwarders

if TYPE_CHECKING:
    import random

    from tests.fix_proxy import Proxy
    from tests.soak.field import Field
    from tests.soak.hosts import Hosts

BURST = 200_000
_MANY_ROUNDS = 10

_IMAGES = 62
_IMAGE_BYTES = 185 * 1024
"""Screenshots that twenty calls answered with: more than one request can hold."""

_CROWD = 1000
_SMALL_CROWD = 100
_FILES = 256


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
    hosts.variables[RELAYSCOPE_BODY_LIMIT] = str(6_000_000)
    for _round in range(rounds):
        hosts.start("60", "--large-every", "20").wait()


def images(_: Field, hosts: Hosts, proxy: Proxy, rounds: int, __: random.Random) -> None:
    """Screenshots that are kept, and small records, wait while the collector is away."""
    hosts.variables[RELAYSCOPE_KEEP_BINARY] = "true"
    hosts.variables[RELAYSCOPE_BODY_LIMIT] = str(2 * _IMAGE_BYTES)
    for _round in range(rounds):
        proxy.stop()
        hosts.start(str(_IMAGES), "--image", str(_IMAGE_BYTES)).wait()
        hosts.start("50").wait()
        proxy.start()
        hosts.settle()


def thousand_spools(_: Field, hosts: Hosts, proxy: Proxy, rounds: int, __: random.Random) -> None:
    """A thousand processes end while the collector is away; one forwarder of few files sends it."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    crowd = _CROWD if rounds >= _MANY_ROUNDS else _SMALL_CROWD
    for _round in range(rounds):
        proxy.stop()
        hosts.start("1", "--then", "crowd", "--children", str(crowd)).wait()
        end_forwarders(hosts.spools)
        proxy.start()
        resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, before[1]))
        try:
            hosts.start("1").wait()
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
        hosts.settle()
