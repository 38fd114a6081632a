"""A receiver that takes everything, and the processor time of the forwarders that send to it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.fix_delivery import forwarders

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TextIO

    Requests = Callable[[], list[str]]

_TICKS: Final = os.sysconf("SC_CLK_TCK")

_SINK: Final = """
import sys, time
from tests.fix_delivery import Receiver, receiving
class Sink(Receiver):
    def take(self, signal, request, context):
        now = time.monotonic()
        print(f"{now} {len(request)}", flush=True)
        return b""
with receiving(Sink()) as sink:
    print(sink.endpoint, flush=True)
    sys.stdin.read()
"""


@contextmanager
def sink() -> Iterator[tuple[str, Requests]]:
    """Yield the endpoint of a receiver in a process of its own, and what tells its requests."""
    with tempfile.TemporaryFile("w+") as lines:
        process = subprocess.Popen(
            [sys.executable, "-c", _SINK], stdin=subprocess.PIPE, stdout=lines, text=True
        )
        assert process.stdin is not None
        with process.stdin:
            while not (endpoint := _read(lines)[:1]):
                time.sleep(0.05)
            yield endpoint[0], lambda: _read(lines)[1:]
        process.wait()


def processor_seconds(spools: Path) -> float:
    """Processor time of the forwarders that work on these spools."""
    ticks = 0
    for pid in forwarders(spools):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / _TICKS


def _read(lines: TextIO) -> list[str]:
    lines.seek(0)
    return lines.read().splitlines()
