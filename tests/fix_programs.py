"""The demo's programs, run as a user runs them: with relayscope-instrument or without."""

import json
import os
import socket
import subprocess
import sys
import sysconfig
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.fix_delivery import DELAY, SPOOL_DIR

PROGRAMS = Path(__file__).parent / "programs"
SCRIPTS = Path(sysconfig.get_path("scripts"))
PATIENCE_SECONDS = 60

_HELD: Final[deque[int]] = deque()
_MOST_HELD: Final = 8


def free_port() -> int:
    """Return a port of the loopback interface, which nobody else is given for some time.

    A socket stays bound to it: whoever asks the system for any port, or connects from any, gets
    another one. A server may listen there all the same, as servers let addresses be used again.
    """
    with socket.socket() as holder:
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            holder.setsockopt(socket.SOL_SOCKET, option, 1)
        holder.bind(("127.0.0.1", 0))
        port: int = holder.getsockname()[1]
        _HELD.append(holder.detach())
    if len(_HELD) > _MOST_HELD:
        os.close(_HELD.popleft())
    return port


@contextmanager
def ended(process: subprocess.Popen[str]) -> Iterator[None]:
    """Let a process that would go on for ever end with the test, whatever that comes to."""
    try:
        yield
    finally:
        process.kill()


def instrumented(service_name: str, command: list[str]) -> list[str]:
    """Return the command that runs `command` under relayscope-instrument."""
    return [str(SCRIPTS / "relayscope-instrument"), "--service-name", service_name, "--", *command]


def python(program: str, *arguments: str) -> list[str]:
    """Return the command that runs one of the programs here."""
    return [sys.executable, str(PROGRAMS / program), *arguments]


def host_environment(**variables: str) -> dict[str, str]:
    """Return this process's environment without any telemetry setting but `variables`.

    The folder of the spools and the delay between requests stay: they are the tests' own.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OTEL_", "RELAYSCOPE_")) or name in {SPOOL_DIR, DELAY}
    }
    return inherited | variables


def eventually(fact: Callable[[], object]) -> None:
    """Wait until `fact` holds; fail if it does not within a generous time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not fact():
        assert time.monotonic() < deadline, f"never became true: {fact}"
        time.sleep(0.02)


@dataclass
class Run:
    """A finished program."""

    returncode: int
    stdout: str
    stderr: str


def run(
    command: list[str], environment: Mapping[str, str], stdin: str = "", cwd: Path | None = None
) -> Run:
    """Run a program to its end with this input."""
    finished = subprocess.run(
        command,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=cwd,
    )
    return Run(finished.returncode, finished.stdout, finished.stderr)


@dataclass
class Background:
    """Starts programs that are ended with the test."""

    stack: ExitStack

    def websocket_backend(
        self, manners: str, environment: Mapping[str, str], *, wrap: list[str]
    ) -> int:
        """Start a WebSocket backend, `wrap` before its command; return its port."""
        return self.listening([*wrap, *python("websocket_backend.py", manners, "0")], environment)

    def listening(self, command: list[str], environment: Mapping[str, str]) -> int:
        """Start a program that says `listening on PORT`; return the port."""
        process = subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self.stack.callback(process.wait, PATIENCE_SECONDS)
        self.stack.callback(process.kill)
        assert process.stdout is not None
        self.stack.enter_context(process.stdout)
        return int(process.stdout.readline().removeprefix("listening on "))

    def server(self, command: list[str], environment: Mapping[str, str], port: int) -> None:
        """Start a server and wait until it accepts connections on a port."""
        process = subprocess.Popen(
            command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self.stack.callback(process.wait, PATIENCE_SECONDS)
        self.stack.callback(process.terminate)
        eventually(lambda: _accepts(port))


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


@pytest.fixture
def background() -> Iterator[Background]:
    """Programs that run beside the test."""
    with ExitStack() as stack:
        yield Background(stack)


def line(**message: object) -> str:
    """Return one JSON-RPC message as a line."""
    return json.dumps({"jsonrpc": "2.0", **message}) + "\n"
