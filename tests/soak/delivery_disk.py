"""Scenarios in which the host's disk is full, read-only or damaged."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

from relayscope.conventions.environment import RELAYSCOPE_SPOOL_MIB
from tests.fix_delivery import end_forwarders
from tests.soak.field import RECOVERY_SECONDS
from tests.soak.full import small_disk

if TYPE_CHECKING:
    import random
    from pathlib import Path

    from tests.fix_proxy import Proxy
    from tests.soak.field import Field
    from tests.soak.hosts import Hosts

_FULL = "8000"
"""Records of 2 kB: twice what the small disk takes."""


def disk_full(_: Field, hosts: Hosts, proxy: Proxy, rounds: int, chance: random.Random) -> None:
    """The collector is away until the disk is full; later there is room again.

    Only root may mount a small disk; for others the spool's own bound must do.
    """
    with small_disk(hosts.spools) as mounted:
        if not mounted:
            hosts.variables[RELAYSCOPE_SPOOL_MIB] = "4"
        for _round in range(rounds):
            proxy.stop()
            host = hosts.start(_FULL, "--bytes", "2000", "--then", "wait")
            host.wait_for(int(_FULL))
            proxy.start()
            time.sleep(chance.uniform(0.2, 0.5))
            host.kill()
            hosts.settle()
            hosts.start("50")
            hosts.settle()


def disk_read_only(_: Field, hosts: Hosts, __: Proxy, rounds: int, chance: random.Random) -> None:
    """The disk is read-only when a host starts, and becomes writable while it emits.

    Only root may mount a disk; for others the folder is without the right to write.
    """
    with small_disk(hosts.spools) as mounted:
        for _round in range(rounds):
            _set_writable(hosts.spools, mounted=mounted, writable=False)
            host = hosts.start("3000", "--pause", "0.0005")
            host.wait_for(200)
            time.sleep(chance.uniform(0.0, 0.3))
            _set_writable(hosts.spools, mounted=mounted, writable=True)
            host.wait()
            hosts.settle()


def _set_writable(folder: Path, *, mounted: bool, writable: bool) -> None:
    if not mounted:
        folder.chmod(0o700 if writable else 0o500)
        return
    mode = "rw" if writable else "ro"
    deadline = time.monotonic() + RECOVERY_SECONDS
    while True:
        # A forwarder that has just begun holds its lock, and with it the disk.
        end_forwarders(folder)
        remount = ["mount", "-o", f"remount,{mode}", str(folder)]
        if subprocess.run(remount, check=False, capture_output=True).returncode == 0:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"the disk does not become {mode}")
        time.sleep(0.1)


def spool_damaged(_: Field, hosts: Hosts, proxy: Proxy, rounds: int, chance: random.Random) -> None:
    """Nobody is left, and the last record is cut short or has a flipped bit, at any place."""
    for number in range(rounds):
        proxy.stop()
        hosts.start("20", "--then", "wait").wait_for(22)
        hosts.started[-1].kill()
        end_forwarders(hosts.spools)
        (segment,) = (hosts.spools / hosts.component).glob("*/*.segment")
        data = segment.read_bytes()
        marker = data.rfind(data[_marker_at(data) :][:4])
        # Cut off right before it, it would never have been there.
        place = chance.randrange(marker + 1, len(data))
        if number % 2:
            os.truncate(segment, place)
        else:
            flipped = data[place] ^ (1 << chance.randrange(8))
            segment.write_bytes(data[:place] + bytes([flipped]) + data[place + 1 :])
        proxy.start()
        hosts.settle()


def _marker_at(data: bytes) -> int:
    """Return the start of the first frame, which is behind two copies of the header."""
    header = data.index(b"RSSPOOL1", 1)
    return 2 * header
