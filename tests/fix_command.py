"""The command line `relayscope` without what Python takes to import it: 0.4 s of a processor."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Final

_PROGRAM: Final = str(Path(__file__).parent / "programs" / "warm_relayscope.py")
_ENDED_LATER: Final = ExitStack()


@cache
def warm_relayscope() -> list[str]:
    """Return the words before the arguments of a command; the first call starts what it needs.

    It is a process of its own, as `relayscope` is, with the streams, folder and environment that it
    is started with. Only signals do not reach it, nor does what Python reads when it starts.
    """
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    _ENDED_LATER.callback(shutil.rmtree, folder)
    socket = str(folder / "socket")
    staying = subprocess.Popen(
        [sys.executable, _PROGRAM, socket, "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    # Leaving it closes its stdin, with which it ends, and waits.
    _ENDED_LATER.enter_context(staying)
    assert staying.stdout is not None
    assert staying.stdout.readline() == b"ready\n"
    return [sys.executable, "-IS", _PROGRAM, socket]


def pytest_unconfigure() -> None:
    """End what was started."""
    _ENDED_LATER.close()
