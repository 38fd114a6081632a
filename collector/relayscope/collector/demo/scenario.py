"""The demo's scenario: calls through a published relay and through a hand-written one."""

from __future__ import annotations

import json
import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from dotenv import dotenv_values

from relayscope.collector.demo.processes import SCRIPTS, free_port, instrumented, python
from relayscope.collector.errors import StartError
from relayscope.conventions.environment import RELAYSCOPE_SPOOL_DIR

if TYPE_CHECKING:
    from relayscope.collector.demo.processes import Processes

_CHECKOUT: Final = Path(__file__).parents[4]
_PROGRAMS: Final = _CHECKOUT / "tests" / "programs"
_CONFIG: Final = _CHECKOUT / "otel-config"

_CLIENT_SECONDS: Final = 60

SECRET: Final = "relayscope-demo-secret-8fJ2kQ"  # noqa: S105  # it is there to be redacted

PUBLISHED_TOOL: Final = "convert_time"
WEBSOCKET_TOOL: Final = "dewey_search"
MISSING_TOOL: Final = "gates_create_document"


def check_installed() -> None:
    """Make sure that everything the demo drives is there.

    Raises:
        StartError: Something is missing; the message says how to get it.
    """
    if not _PROGRAMS.is_dir():
        raise StartError("the demo runs from a checkout of relayscope: clone it and `make demo`")
    missing = [name for name in ("mcp", "mcp_proxy", "websockets") if find_spec(name) is None]
    if missing:
        raise StartError(
            f"the demo needs {', '.join(missing)}: python -m pip install --editable '.[dev]'"
        )


def start_collector(processes: Processes, data_dir: Path) -> str:
    """Start `relayscope serve` on free ports; return the endpoint of its OTLP/gRPC receiver."""
    command = [str(SCRIPTS / "relayscope"), "serve", "--data-dir", str(data_dir)]
    command += ["--config", str(_CONFIG / "collector.yaml")]
    command += ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--page", "127.0.0.1:0"]
    collector = processes.start("collector", command, {})
    return f"http://{collector.wait_for_line(_grpc_address)}"


def _grpc_address(line: str) -> str | None:
    try:
        event = json.loads(line)
    except ValueError:
        return None
    if event.get("event") == "listening" and event.get("protocol") == "otlp/grpc":
        return str(event["address"])
    return None


class Scenario:
    """The two relays with their backends, all under relayscope-instrument."""

    def __init__(self, processes: Processes, endpoint: str) -> None:
        self._processes = processes
        self._own = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            RELAYSCOPE_SPOOL_DIR: str(processes.spools),
        }

    def call_through_published_relay(self) -> dict[str, Any]:
        """Call a tool of mcp-server-time over streamable HTTP through mcp-proxy, as published."""
        port = free_port()
        backend = [*instrumented("time", str(SCRIPTS / "mcp-server-time")), "--local-timezone=UTC"]
        relay = [str(SCRIPTS / "mcp-proxy"), f"--port={port}", "--pass-environment", "--"]
        self._processes.start(
            "mcp-proxy", instrumented("mcp-proxy", *relay, *backend), self._environment("relay")
        ).wait_for_port(port)
        arguments = {
            "source_timezone": "UTC",
            "time": "12:00",
            "target_timezone": "Asia/Tokyo",
        }
        return self._client([(PUBLISHED_TOOL, arguments)], "--http", f"http://127.0.0.1:{port}/mcp")

    def call_through_websocket_relay(self) -> dict[str, Any]:
        """Call tools through a hand-written relay with three backends, one at a wrong port."""
        ports = {name: self._websocket_backend(name) for name in ("gates", "dewey", "playfair")}
        ports["gates"] = free_port()
        backends = [f"{name}=ws://127.0.0.1:{port}" for name, port in ports.items()]
        relay = instrumented("relay", *python(_PROGRAMS / "websocket_relay.py", *backends))
        calls = [
            (WEBSOCKET_TOOL, {"query": "relays", "api_key": SECRET}),
            (MISSING_TOOL, {}),
        ]
        return self._client(calls, "--stdio", *relay)

    def _websocket_backend(self, manners: str) -> int:
        program = _PROGRAMS / "websocket_backend.py"
        backend = self._processes.start(
            manners,
            instrumented(manners, *python(program, manners, "0")),
            self._environment("backend"),
        )
        prefix = "listening on "
        return int(
            backend.wait_for_line(
                lambda line: line.removeprefix(prefix) if line.startswith(prefix) else None
            )
        )

    def _client(self, calls: list[tuple[str, dict[str, str]]], *target: str) -> dict[str, Any]:
        program = python(_PROGRAMS / "client.py", json.dumps(calls), *target)
        finished = subprocess.run(  # noqa: S603  # the demo's own program
            instrumented("client", *program),
            env={**os.environ, **self._environment("client")},
            capture_output=True,
            text=True,
            timeout=_CLIENT_SECONDS,
            check=False,
        )
        if finished.returncode != 0:
            raise StartError(f"the client failed:\n{finished.stderr[-2000:]}")
        answers: dict[str, Any] = json.loads(finished.stdout)
        return answers

    def _environment(self, component: str) -> dict[str, str]:
        """Return the variables of `otel-config/{component}.env`, with what is the demo's own."""
        variables = dotenv_values(_CONFIG / f"{component}.env")
        return {name: value or "" for name, value in variables.items()} | self._own
