"""A relay with its client and its backend, and a tee on every leg."""

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import IO, Final

from sqlalchemy import Engine, text

from relayscope.sanitizer import Sanitizer
from tests.fidelity.driver import (
    PATIENCE_SECONDS,
    Driver,
    HttpDriver,
    SseDriver,
    StdioDriver,
    WebSocketDriver,
)
from tests.fidelity.traffic import Abilities, Traffic
from tests.fidelity.verdict import Facts, Verdict, untagged
from tests.fidelity.wire_bytes import Leg, read
from tests.fix_programs import PROGRAMS, eventually, free_port, host_environment

BINARIES: Final = Path(sys.executable).parent

Command = Callable[[int, list[str]], list[str]]

_URLS: Final = {
    "websocket": "ws://127.0.0.1:{port}",
    "http": "http://127.0.0.1:{port}/mcp",
    "sse": "http://127.0.0.1:{port}/sse",
}

_STABLE_SECONDS: Final = 1.0

_STORED: Final = """
    select count(*) filter (where event_name = 'mcp.message'), count(*) from logs
"""


@dataclass(frozen=True)
class Relay:
    """One kind of relay.

    Attributes:
        client: Transport to its client: `stdio`, `websocket`, `http` or `sse`.
        backend: Transport to its backend.
        command: Makes the command that runs it, from the port to serve at (0 for stdio) and the
            backend, which is a command or a URL.
        binaries: The folder of the environment that it runs in.
        path: The path that it serves.
    """

    name: str
    client: str
    backend: str
    command: Command
    abilities: Abilities
    binaries: Path = BINARIES
    path: str = ""
    breaks: bool = False
    """True if connections may be broken: it and its backend must be able to begin anew."""

    @property
    def title(self) -> str:
        """Unique title, because several legs may have the same program between them."""
        return f"{self.name}, {self.client} to {self.backend}"


@dataclass
class Field:
    """Place in which one relay is driven.

    Attributes:
        folder: For recorded bytes and the logs of processes.
        endpoint: OTLP endpoint of the collector.
    """

    folder: Path
    endpoint: str
    engine: Engine
    _tees: list[subprocess.Popen[bytes]] = field(default_factory=list, init=False)

    def run(self, relay: Relay, rounds: int, seed: int, *, secrets: bool = False) -> Verdict:
        """Drive the relay for as many rounds, and compare.

        With secrets in the traffic, what is stored has to be what the sanitizer makes of it.
        """
        traffic = Traffic(relay.abilities, Random(seed), secrets)
        with ExitStack() as stack:
            backend = self._backend(stack, relay)
            traffic.driver = self._relay(stack, relay, backend, traffic)
            stack.callback(traffic.driver.close)
            traffic.play(rounds)
            if relay.breaks:
                self._break_connections()
                traffic.driver.reconnect()
                traffic.play(rounds)
            self._wait_until_stored(relay)
        return self.judge(relay, secrets=secrets)

    def judge(self, relay: Relay, *, secrets: bool = False) -> Verdict:
        """Compare what the tees have recorded with what the database holds."""
        sanitizer = Sanitizer.default()
        with self.engine.connect() as connection:
            return Facts(
                connection,
                *self._legs(relay),
                (lambda body: untagged(sanitizer.text(body))) if secrets else str,
            ).verdict()

    def _environment(self) -> dict[str, str]:
        return host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT=self.endpoint,
            PYTHONIOENCODING="utf-8",
            # Large bodies fill a request's 4 MiB, and a burst fills the SDK's queue.
            OTEL_BLRP_MAX_EXPORT_BATCH_SIZE="8",
            OTEL_BLRP_MAX_QUEUE_SIZE="100000",
            OTEL_BSP_MAX_QUEUE_SIZE="100000",
        )

    def _backend(self, stack: ExitStack, relay: Relay) -> list[str]:
        """Start the backend, or return the command with which the relay shall start it."""
        folder = self._tee_folder("backend")
        program = [sys.executable, str(PROGRAMS / "busy_backend.py"), relay.backend]
        command = [str(BINARIES / "relayscope-instrument"), "--service-name", "backend", "--"]
        if relay.backend == "stdio":
            tee = [sys.executable, str(PROGRAMS / "pipe_tee.py"), str(folder)]
            return [*tee, *command, *program]
        port = free_port()
        self._start(stack, [*command, *program, str(port)], port, "backend")
        tee_port = self._start_tee(stack, folder, port)
        return [_URLS[relay.backend].format(port=tee_port)]

    def _relay(
        self, stack: ExitStack, relay: Relay, backend: list[str], traffic: Traffic
    ) -> Driver:
        folder = self._tee_folder("client")
        instrument = [str(relay.binaries / "relayscope-instrument"), "--service-name", "relay"]
        if relay.client == "stdio":
            tee = [sys.executable, str(PROGRAMS / "pipe_tee.py"), str(folder)]
            command = [*tee, *instrument, "--", *relay.command(0, backend)]
            errors = stack.enter_context(self._log("relay"))
            return StdioDriver(command, self._environment(), errors, traffic.hear)
        port = free_port()
        self._start(stack, [*instrument, "--", *relay.command(port, backend)], port, "relay")
        address = f"127.0.0.1:{self._start_tee(stack, folder, port)}{relay.path}"
        if relay.client == "websocket":
            return WebSocketDriver(f"ws://{address}", traffic.hear)
        driver = SseDriver if relay.client == "sse" else HttpDriver
        return driver(f"http://{address}", traffic.hear)

    def _start_tee(self, stack: ExitStack, folder: Path, port: int) -> int:
        tee_port = free_port()
        command = [sys.executable, str(PROGRAMS / "tcp_tee.py"), str(folder)]
        tee = self._start(stack, [*command, str(tee_port), str(port)], tee_port, "tee")
        self._tees.append(tee)
        return tee_port

    def _start(
        self, stack: ExitStack, command: list[str], port: int, name: str
    ) -> subprocess.Popen[bytes]:
        """Start a server and wait until it listens; interrupt it in the end."""
        process = subprocess.Popen(
            command,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=stack.enter_context(self._log(name)),
        )
        stack.callback(_end, process)
        eventually(lambda: _listens(port))
        return process

    def _tee_folder(self, leg: str) -> Path:
        folder = self.folder / leg
        folder.mkdir(parents=True)
        return folder

    @contextmanager
    def _log(self, name: str) -> Iterator[IO[str]]:
        with (self.folder / f"{name}.log").open("a") as file:
            yield file

    def _break_connections(self) -> None:
        for tee in self._tees:
            tee.send_signal(signal.SIGUSR1)

    def _wait_until_stored(self, relay: Relay) -> None:
        """Wait until as much is stored as crossed the wire, and until no more is coming."""
        client, backend = self._legs(relay)
        crossed = len([*client.forth, *client.back, *2 * (backend.forth + backend.back)])
        before, since, began = -1, time.monotonic(), time.monotonic()
        while time.monotonic() - since < _STABLE_SECONDS:
            with self.engine.connect() as connection:
                messages, now = connection.execute(text(_STORED)).one()
            is_late = messages < crossed and time.monotonic() - began < PATIENCE_SECONDS
            if now != before or is_late:
                before, since = now, time.monotonic()
            time.sleep(0.1)

    def _legs(self, relay: Relay) -> tuple[Leg, Leg]:
        """Return what the tees have recorded."""
        client = read(self.folder / "client", relay.client)
        return client, read(self.folder / "backend", relay.backend)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        process.wait(60)
    finally:
        process.kill()
        process.wait()


def _listens(port: int) -> bool:
    """Return whether a port is listened at, without connecting: a tee records each connection.

    Linux lets addresses be used again, but not where somebody listens. To find out takes 20 µs; to
    read the kernel's table of sockets took 6 ms, a fifth of a processor while a server starts.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False
