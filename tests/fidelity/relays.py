"""The rows of the table: every kind of relay that people run."""

import os
from pathlib import Path
from typing import Final

from tests.fidelity.field import BINARIES, Command, Relay
from tests.fidelity.traffic import Abilities
from tests.fix_programs import PROGRAMS

_MCP2: Final = Path(__file__).parents[2] / ".venv-mcp2" / "bin"
"""Programs of the mcp SDK 2.x, which cannot be installed beside 1.x."""


def _program(name: str, *arguments: str, binaries: Path = BINARIES) -> list[str]:
    return [str(binaries / "python"), str(PROGRAMS / name), *arguments]


def _demo(_: int, backend: list[str]) -> list[str]:
    return _program("websocket_relay.py", f"busy={backend[0]}")


def _with_command(program: str, *first: str, binaries: Path = BINARIES) -> Command:
    return lambda _, backend: _program(program, *first, *backend, binaries=binaries)


def _with_port(program: str, *first: str, binaries: Path = BINARIES) -> Command:
    return lambda port, backend: _program(program, *first, str(port), *backend, binaries=binaries)


def _mcp_proxy(port: int, backend: list[str]) -> list[str]:
    command = [str(BINARIES / "mcp-proxy"), f"--port={port}", "--pass-environment", "--"]
    return [*command, *backend]


def _home_made(client: str) -> Relay:
    return Relay(
        client,
        "stdio",
        "http",
        _with_command("http_relay.py", client),
        Abilities(anything=True, batches=True, cancels=True),
    )


def _gateway(server: str, client: str) -> Relay:
    return Relay(
        f"{server} workers, {client}",
        "http",
        "http",
        _with_port("http_gateway.py", server, client),
        # What the client answers may come to a worker that was not asked.
        Abilities(asks=False, anything=True, batches=True),
        path="/mcp",
    )


RELAYS: Final = {
    relay.title: relay
    for relay in (
        # It reads with asyncio's limit of 64 KiB for a line, and one answer for each request.
        Relay(
            "websocket relay of the demo",
            "stdio",
            "websocket",
            _demo,
            # It reads lines of up to 64 KiB, and a text may be escaped to three times its size.
            Abilities(concurrent=1, largest=20_000, asks=False, steps=False),
        ),
        Relay(
            "mcp-proxy",
            "http",
            "stdio",
            _mcp_proxy,
            Abilities(asks=False, steps=False),
            path="/mcp",
        ),
        Relay(
            "threads and queues",
            "stdio",
            "stdio",
            _with_command("thread_relay.py"),
            Abilities(anything=True, batches=True, cancels=True),
        ),
        Relay(
            "Click",
            "stdio",
            "stdio",
            _with_command("click_relay.py"),
            Abilities(anything=True, batches=True, cancels=True),
        ),
        Relay(
            "mcp 1.x sessions",
            "stdio",
            "stdio",
            _with_command("sdk_relay.py", "stdio"),
            Abilities(),
        ),
        Relay(
            "mcp 1.x sessions",
            "http",
            "http",
            _with_port("sdk_relay.py", "http"),
            Abilities(),
            path="/mcp/",
        ),
        Relay(
            "mcp 1.x, one task owns the session",
            "stdio",
            "stdio",
            _with_command("pooled_relay.py", "1"),
            Abilities(),
        ),
        Relay(
            "mcp 1.x, a pool of three sessions",
            "stdio",
            "stdio",
            _with_command("pooled_relay.py", "3"),
            Abilities(),
        ),
        Relay(
            "mcp 1.x, traced by its author",
            "stdio",
            "stdio",
            _with_command("traced_relay.py", os.devnull, "1"),
            Abilities(),
        ),
        Relay("mcp 1.x raw streams", "stdio", "stdio", _with_command("pump_relay.py"), Abilities()),
        Relay(
            "FastMCP 3 proxy",
            "stdio",
            "stdio",
            _with_command("fastmcp_relay.py", "stdio"),
            Abilities(),
        ),
        Relay(
            "FastMCP 4 proxy",
            "stdio",
            "stdio",
            _with_command("fastmcp_relay.py", "stdio", binaries=_MCP2),
            Abilities(),
            binaries=_MCP2,
        ),
        Relay(
            "mcp 2.x sessions",
            "stdio",
            "stdio",
            _with_command("sdk2_relay.py", "stdio", binaries=_MCP2),
            Abilities(),
            binaries=_MCP2,
        ),
        Relay(
            "starlette",
            "websocket",
            "websocket",
            _with_port("starlette_relay.py"),
            Abilities(anything=True, batches=True, cancels=True),
            breaks=True,
        ),
        Relay(
            "aiohttp",
            "websocket",
            "websocket",
            _with_port("aiohttp_relay.py"),
            Abilities(anything=True, batches=True, cancels=True),
            path="/",
            breaks=True,
        ),
        Relay(
            "mcp 1.x, middleware that reads bodies",
            "http",
            "http",
            _with_port("sdk_relay.py", "reading"),
            Abilities(),
            path="/mcp/",
        ),
        Relay(
            "mcp 2.x, middleware that reads bodies",
            "http",
            "http",
            _with_port("sdk2_relay.py", "reading", binaries=_MCP2),
            Abilities(largest=900_000),
            binaries=_MCP2,
            path="/mcp",
        ),
        Relay(
            "mcp 1.x stateless",
            "http",
            "http",
            _with_port("sdk_relay.py", "stateless"),
            Abilities(asks=False),
            path="/mcp/",
        ),
        Relay(
            "mcp 1.x sessions",
            "sse",
            "sse",
            _with_port("sdk_relay.py", "sse"),
            Abilities(),
            path="/sse",
        ),
        # Its client gives up an event of more than 1 MiB.
        Relay(
            "mcp 2.x sessions",
            "http",
            "http",
            _with_port("sdk2_relay.py", "http", binaries=_MCP2),
            Abilities(largest=900_000),
            binaries=_MCP2,
            path="/mcp",
        ),
        Relay(
            "FastMCP 3 proxy",
            "http",
            "http",
            _with_port("fastmcp_relay.py", "http"),
            Abilities(),
            path="/mcp",
        ),
        Relay(
            "FastMCP 4 proxy",
            "http",
            "http",
            _with_port("fastmcp_relay.py", "http", binaries=_MCP2),
            Abilities(largest=900_000),
            binaries=_MCP2,
            path="/mcp",
        ),
        Relay(
            "httpx",
            "stdio",
            "http",
            _with_command("httpx_relay.py"),
            Abilities(anything=True, batches=True, cancels=True),
        ),
        _home_made("aiohttp"),
        _home_made("http.client"),
        _home_made("requests"),
        _home_made("urllib"),
        _home_made("urllib3"),
        Relay(
            "aiohttp.web",
            "http",
            "http",
            _with_port("aiohttp_gateway.py"),
            Abilities(asks=False, anything=True, batches=True),
            path="/mcp",
        ),
        _gateway("uvicorn", "aiohttp"),
        _gateway("gunicorn", "requests"),
    )
}
