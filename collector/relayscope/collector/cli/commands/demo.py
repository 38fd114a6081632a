"""`relayscope demo`."""

from __future__ import annotations

import shlex
import signal
import subprocess
import tempfile
import threading
from datetime import UTC, datetime
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Final

import click
from platformdirs import user_data_path

from relayscope.collector.config.settings import Settings
from relayscope.collector.demo.evidence import Incomplete, wait_for_traces
from relayscope.collector.demo.processes import SCRIPTS, Processes
from relayscope.collector.demo.scenario import (
    MISSING_TOOL,
    PUBLISHED_TOOL,
    WEBSOCKET_TOOL,
    Scenario,
    check_installed,
    start_collector,
)
from relayscope.collector.errors import StartError
from relayscope.collector.serve.page_address import page_url
from relayscope.storage import EmbeddedServer, create_engine

if TYPE_CHECKING:
    from uuid import UUID

_NEWEST: Final = "select time, component, body from logs order by time desc limit 5"


@click.command()
@click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    default=lambda: user_data_path("relayscope") / "demo",
    help="Where the demo's PostgreSQL lives. [default: `demo` in the user's data folder]",
)
@click.option("--keep", is_flag=True, help="Leave the collector and its page up until Ctrl-C.")
def demo(data_dir: Path, *, keep: bool) -> None:
    """See real MCP calls, end to end.

    Runs an MCP client, a published relay (mcp-proxy) with a published server (mcp-server-time),
    and a hand-written relay with three WebSocket backends, one of them configured with the wrong
    port; all unmodified. Shows their traces and leaves nothing running.
    """
    try:
        check_installed()
        with tempfile.TemporaryDirectory() as logs, Processes(Path(logs)) as processes:
            _run(processes, data_dir)
            if keep:
                _keep(data_dir)
    except (StartError, Incomplete) as error:
        raise click.ClickException(str(error)) from None


def _run(processes: Processes, data_dir: Path) -> None:
    since = datetime.now(UTC)
    _say("Starting the collector with its own PostgreSQL ...")
    scenario = Scenario(processes, start_collector(processes, data_dir))
    _say("Calling a tool: client -> mcp-proxy (HTTP) -> mcp-server-time (stdio) ...")
    scenario.call_through_published_relay()
    _say("Calling tools: client -> hand-written relay (stdio) -> three backends (WebSocket) ...")
    answers = scenario.call_through_websocket_relay()
    engine = create_engine(EmbeddedServer.url_of(data_dir))
    try:
        traces = wait_for_traces(engine, since).traces
    finally:
        engine.dispose()

    _head("The call through the published relay")
    _show(data_dir, traces[f"tools/call {PUBLISHED_TOOL}"])
    _head("The call through the WebSocket relay (its api_key was redacted in the process)")
    _show(data_dir, traces[f"tools/call {WEBSOCKET_TOOL}"])
    _head("Why there is no gates tool: the relay was told the wrong port")
    _show(data_dir, traces["initialize"])
    _head(f"And so the relay cannot call {MISSING_TOOL}")
    _show(data_dir, traces[f"tools/call {MISSING_TOOL}"])
    _say(f"Tools that the client was offered: {', '.join(answers['tools'])}")
    _say_how_to_go_on(data_dir)


def _keep(data_dir: Path) -> None:
    """Let people look at the page, until they have seen enough."""
    enough = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: enough.set())
    _head("The page")
    _say(f"  {page_url(Settings(data_dir=data_dir))}/\n\nCtrl-C ends the demo.")
    enough.wait()


def _show(data_dir: Path, trace_id: UUID) -> None:
    command = [str(SCRIPTS / "relayscope"), "trace", trace_id.hex, "--data-dir", str(data_dir)]
    subprocess.run(command, check=True)  # noqa: S603  # our own command


def _say_how_to_go_on(data_dir: Path) -> None:
    folder = f"--data-dir {shlex.quote(str(data_dir))}"
    relayscope, instrument = map(_as_typed, ("relayscope", "relayscope-instrument"))
    _head("How to look further")
    click.echo(f"  {relayscope} calls --failed {folder}")
    click.echo(f"  {relayscope} trace 1 {folder}")
    click.echo(f"  {relayscope} sql '{_NEWEST}' {folder}")
    click.echo(f"\nTo trace your own relay: start `{relayscope} serve`, then run")
    click.echo(f"  {instrument} --service-name relay -- python your_relay.py")
    click.echo(f"  {relayscope} trace --last")


def _as_typed(command: str) -> str:
    """Return what starts one of our commands from here."""
    path = SCRIPTS / command
    found = which(command)
    # Another environment may have its own on the path, without the collector or of another version.
    if found is not None and Path(found).resolve() == path.resolve():
        return command
    shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return shlex.quote(str(shown))


def _head(title: str) -> None:
    click.echo(f"\n=== {title} ===", nl=True)


def _say(line: str) -> None:
    click.echo(line)
