"""Time until all that waited has arrived, once the collector is back.

usage: python -m tests.bench.bench_left_over [SPOOLS]

First what twenty calls left that answered with screenshots: 62 images of 185 KiB, kept as base64,
in the spool of one process that has ended; `relayscope-instrument --flush` sends them. Then the
spools of so many processes (default 5,000), two records each, which one forwarder with 256 files
sends; its memory and its open files are looked at meanwhile. Ends with 1 if a budget is missed.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import tempfile
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from relayscope.conventions.environment import RELAYSCOPE_BODY_LIMIT, RELAYSCOPE_KEEP_BINARY
from relayscope.spool import list_slots
from tests.fix_delivery import end_forwarders, forwarders
from tests.soak.field import Field, own_field
from tests.soak.hosts import Hosts

_SPOOLS: Final = 5_000
_FILES: Final = 256
_IMAGES: Final = 62
_IMAGE_BYTES: Final = 185 * 1024

_IMAGE_SECONDS: Final = 10.0
_MOST_MEMORY: Final = 100 * 2**20
_GIVE_UP_SECONDS: Final = 1_800.0


def main() -> None:
    """Measure both, and print what was found."""
    spools = int(sys.argv[1]) if len(sys.argv) > 1 else _SPOOLS
    print(f"{datetime.now(UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.machine()}")
    with own_field() as ground:
        good = [_images(ground), _left_over(ground, spools)]
    sys.exit(0 if all(good) else 1)


def _images(ground: Field) -> bool:
    with tempfile.TemporaryDirectory(prefix="bench-spools-") as folder:
        hosts = Hosts("images", Path(folder), f"http://{ground.grpc}")
        hosts.variables[RELAYSCOPE_KEEP_BINARY] = "true"
        hosts.variables[RELAYSCOPE_BODY_LIMIT] = str(2 * _IMAGE_BYTES)
        with hosts.running(), ground.running():
            hosts.start(str(_IMAGES), "--image", str(_IMAGE_BYTES)).wait()
            end_forwarders(hosts.spools)
            started = time.monotonic()
            ground.start()
            returned = time.monotonic()
            said = hosts.flush()
            took = time.monotonic() - returned
            verdict = hosts.judge(ground.database_url)
    print(
        f"images: {verdict.emitted} emitted, {verdict.stored} stored, {verdict.twice} twice; "
        f"{took:.1f} s after the collector was back (it took {returned - started:.1f} s to start)"
    )
    print(f"  {said.strip()}")
    return verdict.stored == verdict.emitted and not verdict.twice and took <= _IMAGE_SECONDS


def _left_over(ground: Field, spools: int) -> bool:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with tempfile.TemporaryDirectory(prefix="bench-spools-") as folder:
        hosts = Hosts("crowd", Path(folder), f"http://{ground.grpc}")
        with hosts.running(), ground.running():
            hosts.start("1", "--then", "crowd", "--children", str(spools)).wait()
            end_forwarders(hosts.spools)
            waiting = len(list_slots(hosts.spools / hosts.component))
            ground.start()
            resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, before[1]))
            try:
                started = time.monotonic()
                hosts.start("1").wait()
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, before)
            memory, files = _watch(hosts)
            took = time.monotonic() - started
            verdict = hosts.judge(ground.database_url)
    print(
        f"left over: {waiting} spools, {verdict.emitted} emitted, {verdict.stored} stored, "
        f"{verdict.twice} twice, in {took:.0f} s; the forwarder had {memory / 2**20:.0f} MiB and "
        f"{files} files at most, of {_FILES}"
    )
    return verdict.stored == verdict.emitted and not verdict.twice and memory <= _MOST_MEMORY


def _watch(hosts: Hosts) -> tuple[int, int]:
    """Wait until nothing is left; return the most memory and files that a forwarder had."""
    memory = files = 0
    deadline = time.monotonic() + _GIVE_UP_SECONDS
    while list_slots(hosts.spools / hosts.component) and time.monotonic() < deadline:
        for process in forwarders(hosts.spools):
            with suppress(OSError):
                status = Path(f"/proc/{process}/status").read_text().splitlines()
                (peak,) = (line.split()[1] for line in status if line.startswith("VmHWM:"))
                memory = max(memory, int(peak) * 1024)
                files = max(files, len(list(Path(f"/proc/{process}/fd").iterdir())))
        time.sleep(0.5)
    return memory, files


if __name__ == "__main__":
    main()
