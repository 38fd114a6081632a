"""The programs that the demo runs: started together, and gone together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import sysconfig
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self, TypeVar

from relayscope.collector.errors import StartError
from relayscope.spool import SpoolHeld, lock

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_T = TypeVar("_T")

SCRIPTS: Final = Path(sysconfig.get_path("scripts"))
"""Folder of this Python environment's commands."""

_STOP_SECONDS: Final = 10
_FORWARD_SECONDS: Final = 10
_START_SECONDS: Final = 60


class Processes:
    """Programs in process groups of their own; leaving the context ends every group.

    The first one is the collector, and is ended last.

    Attributes:
        spools: The folder of the programs' spools.
    """

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self.spools = logs / "spools"
        self._running: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        # A shell has what it starts in the background ignore Ctrl-C, and programs inherit that:
        # each of these would then be waited for in vain.
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        return self

    def __exit__(self, *_: object) -> None:
        with ExitStack() as stack:
            for process in self._running[:1]:
                stack.callback(self.stop, process)
            # What the others have said last still goes to the collector.
            stack.callback(_wait_for_forwarders, self.spools)
            for process in self._running[1:]:
                stack.callback(self.stop, process)

    def start(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> Program:
        """Start a program whose output goes to `{name}.log`."""
        log = self._logs / f"{name}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(  # noqa: S603  # the demo's own programs
                command,
                env={**os.environ, **environment},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._running.append(process)
        return Program(name, process, log)

    def stop(self, process: subprocess.Popen[bytes]) -> None:
        """End a program as Ctrl-C does, and what is left of its group for certain."""
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(_STOP_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


class Program:
    """A started program."""

    def __init__(self, name: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.name = name
        self.process = process
        self._log = log

    def wait_for_line(self, wanted: Callable[[str], str | None]) -> str:
        """Return what `wanted` makes of the first line of output that it accepts.

        Raises:
            StartError: The program ended, or said nothing of the kind in time; with its output.
        """

        def accepted() -> str | None:
            lines = self._log.read_text(errors="replace").splitlines()
            return next(filter(None, map(wanted, lines)), None)

        return self._wait(accepted)

    def wait_for_port(self, port: int) -> None:
        """Wait until the program accepts connections.

        Raises:
            StartError: As `wait_for_line`.
        """

        def accepts() -> bool | None:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=1):
                    return True
            except OSError:
                return None

        self._wait(accepts)

    def _wait(self, ready: Callable[[], _T | None]) -> _T:
        deadline = time.monotonic() + _START_SECONDS
        while True:
            answer = ready()
            if answer is not None:
                return answer
            if self.process.poll() is not None or time.monotonic() > deadline:
                output = self._log.read_text(errors="replace")[-2000:]
                raise StartError(f"{self.name} did not start; its output ends with:\n{output}")
            time.sleep(0.05)


def _wait_for_forwarders(spools: Path) -> None:
    """Wait until nobody works on the spools any more: each forwarder holds a lock in its folder."""
    deadline = time.monotonic() + _FORWARD_SECONDS
    for path in spools.glob("*/forwarder-*.lock"):
        with path.open("rb") as file:
            while time.monotonic() < deadline:
                try:
                    lock(file.fileno(), path)
                    break
                except SpoolHeld:
                    time.sleep(0.05)


def free_port() -> int:
    """Return a port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def instrumented(service_name: str, *command: str) -> list[str]:
    """Return the command that runs `command` under relayscope-instrument."""
    instrument = str(SCRIPTS / "relayscope-instrument")
    return [instrument, "--service-name", service_name, "--", *command]


def python(program: Path, *arguments: str) -> list[str]:
    """Return the command that runs a Python file."""
    return [sys.executable, str(program), *arguments]
