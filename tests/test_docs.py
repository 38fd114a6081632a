"""Promises of the documentation: every command and every SQL statement in it runs."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from relayscope.collector.config.settings import load
from tests.fix_command import warm_relayscope
from tests.fix_delivery import end_forwarders
from tests.fix_programs import (
    PATIENCE_SECONDS,
    PROGRAMS,
    SCRIPTS,
    Run,
    eventually,
    free_port,
    host_environment,
    line,
    run,
)

PARTS = ("instrumentation", "storage", "collector", "tests")
ROOT = Path(__file__).parents[1]
DOCUMENTS = tuple(
    str(path.relative_to(ROOT)) for path in (*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"))
)
# What tells a user how to go about things.
GUIDE = "\n".join((ROOT / name).read_text() for name in ("README.md", "docs/sql.md"))

LISTS = (
    "relayscope messages",
    "relayscope calls",
    "relayscope logs",
    "relayscope traces",
    "relayscope stats",
    "relayscope problems",
)

SHELL_BLOCKS = re.findall(r"^```sh\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def documented(*beginning: str) -> list[str]:
    """Return the guide's commands that begin with one of these words, as they are printed."""
    joined = [block.strip() for block in SHELL_BLOCKS]
    commands = []
    for block in joined:
        # A command may go over several lines; it ends where its quotes are closed.
        commands += re.findall(r'(?:"(?:[^"\\]|\\.)*"|[^\n"])+', block)
    return [command for command in commands if command.startswith(beginning)]


@dataclass
class Walkthrough:
    """A folder with a relay and a backend in it, and a collector that runs as the README says."""

    folder: Path
    environment: dict[str, str]

    def shell(self, command: str, stdin: str = "") -> Run:
        """Run a command of the README, to the letter."""
        return run(["bash", "-c", command], self.environment, stdin, cwd=self.folder)


@pytest.fixture(scope="module")
def walkthrough(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walkthrough]:
    """The README's three steps, up to where the reader makes the call."""
    home = tmp_path_factory.mktemp("home")
    for name in ("relay.py", "search_backend.py"):
        shutil.copy(PROGRAMS / "websocket_relay.py", home / name)
    grpc, http = free_port(), free_port()
    environment = host_environment(
        HOME=str(home),
        PATH=f"{SCRIPTS}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        RELAYSCOPE_DATA_DIR=str(home / "data"),
        RELAYSCOPE_SPOOL_DIR=str(home / "spool"),
        RELAYSCOPE_GRPC=f"127.0.0.1:{grpc}",
        RELAYSCOPE_HTTP=f"127.0.0.1:{http}",
        RELAYSCOPE_PAGE="127.0.0.1:0",
        BROWSER="true",
        OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{grpc}",
    )
    (serve,) = documented("relayscope serve")
    collector = subprocess.Popen(["bash", "-c", f"exec {serve}"], env=environment, cwd=home)
    try:
        eventually(lambda: _is_ready(http))
        yield Walkthrough(home, environment)
    finally:
        end_forwarders(home / "spool")
        collector.send_signal(signal.SIGTERM)
        assert collector.wait(PATIENCE_SECONDS) == 0


@pytest.fixture
def quick_walkthrough(walkthrough: Walkthrough, tmp_path: Path) -> Walkthrough:
    """The same for many commands: `relayscope` need not import anew for each."""
    command = tmp_path / "relayscope"
    command.write_text(f'#!/bin/sh\nexec {shlex.join(warm_relayscope())} "$@"\n')
    command.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{walkthrough.environment['PATH']}"
    return replace(walkthrough, environment=walkthrough.environment | {"PATH": path})


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as answer:
            ready: bool = answer.status == 200
            return ready
    except OSError:
        return False


def test_the_walkthrough_of_the_readme_works_to_the_letter(walkthrough: Walkthrough) -> None:
    """Start the collector, run the relay, make the call, look: as printed, it shows the call."""
    call = line(id=1, method="tools/call", params={"name": "lookup", "arguments": {}})
    relays = documented("relayscope-instrument")
    assert len(relays) == 2
    for relay in relays:
        assert "Unknown tool: lookup" in walkthrough.shell(relay, call).stdout

    (trace,) = documented("relayscope trace ")
    eventually(lambda: "tools/call lookup" in walkthrough.shell(trace).stdout)
    shown = walkthrough.shell(trace)
    assert shown.returncode == 0
    assert "Unknown tool: lookup" in shown.stdout


def test_every_sql_statement_of_the_guide_runs(quick_walkthrough: Walkthrough) -> None:
    """Each statement returns without an error, and the first two find the call."""
    call = line(id=1, method="tools/call", params={"name": "lookup", "arguments": {}})
    quick_walkthrough.shell(documented("relayscope-instrument")[0], call)
    statements = documented("relayscope sql")
    assert len(statements) == 11

    eventually(lambda: "lookup" in quick_walkthrough.shell(statements[0]).stdout)
    for statement in statements:
        finished = quick_walkthrough.shell(statement)
        assert (finished.returncode, finished.stderr) == (0, "")
    for statement in statements[:2]:
        assert "lookup" in quick_walkthrough.shell(statement).stdout


def test_the_page_is_opened_as_the_readme_says(walkthrough: Walkthrough) -> None:
    """The command says where the page is, and it is there."""
    (command,) = documented("relayscope open")
    finished = walkthrough.shell(command)

    assert (finished.returncode, finished.stderr) == (0, "")
    address = finished.stdout.strip().partition("http://")[2]
    with urllib.request.urlopen(f"http://{address}", timeout=60) as answer:
        assert b"relayscope</title>" in answer.read()


def test_every_list_of_the_readme_shows_something(quick_walkthrough: Walkthrough) -> None:
    """Each as it is printed, after a call that fails."""
    call = line(id=1, method="tools/call", params={"name": "lookup", "arguments": {}})
    quick_walkthrough.shell(documented("relayscope-instrument")[0], call)
    lists = documented(*LISTS)
    assert all(any(one.startswith(kind) for one in lists) for kind in LISTS)

    calls, *_ = documented("relayscope calls")
    eventually(lambda: "lookup" in quick_walkthrough.shell(calls).stdout)
    for command in lists:
        finished = quick_walkthrough.shell(command)
        assert (finished.returncode, finished.stderr) == (0, "")
        assert finished.stdout


def test_levels_are_set_listed_and_reset_as_the_readme_says(walkthrough: Walkthrough) -> None:
    """Each command in its turn, as it is printed."""
    set_, list_, reset = documented("relayscope level")

    for command in (set_, list_, reset):
        finished = walkthrough.shell(command)
        # No relay runs here that could take it, which is said of no other command.
        warned = re.fullmatch(r"this (does not reach|reaches nobody).*\n", finished.stderr)
        assert (finished.returncode, warned is not None) == (0, command == set_)
        assert warned or not finished.stderr
        assert ("*:9060" in finished.stdout) is (command == list_)


def test_every_make_target_in_the_documentation_exists() -> None:
    """`make TARGET` in the README or in CONTRIBUTING is a target of the Makefile."""
    named = set(
        re.findall(r"^make ([\w-]+)", GUIDE + (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE)
    )
    targets = set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test", "check"} <= named
    assert named - targets == set()
    for target in targets:
        assert run(["make", "-n", target], dict(os.environ), cwd=ROOT).returncode == 0


def test_every_shell_block_of_the_guide_is_executed_here() -> None:
    """There is no block of commands that none of these tests runs."""
    executed = documented("make", "relayscope serve", "relayscope-instrument", "relayscope trace ")
    executed += documented("relayscope sql", "relayscope level", "relayscope open", *LISTS)

    assert len(executed) == len(documented(""))


def test_every_setting_of_the_collectors_example_file_is_accepted(tmp_path: Path) -> None:
    """`otel-config/collector.yaml`, with every line in it put into force, has no mistake."""
    example = (ROOT / "otel-config/collector.yaml").read_text()
    in_force = re.sub(r"^# (\w+:.*|- \w+:.*|  \w+:.*)$", r"\1", example, flags=re.MULTILINE)
    config = tmp_path / "collector.yaml"
    config.write_text(in_force)

    settings = load({}, config)

    assert settings.workers == 1
    assert [token.name for token in settings.tokens] == ["relay"]
    assert settings.model_fields_set >= {"grpc", "tls_client_ca", "duplicate_window"}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_every_file_that_is_named_exists(path: str) -> None:
    """A path in backquotes, or a link, leads to something that is there."""
    text = (ROOT / path).read_text()
    named = re.findall(
        r"`((?:instrumentation|storage|collector|otel-config|tests)/[\w/.-]+)`", text
    )
    named = [name for name in named if "..." not in name and not (ROOT / name).exists()]
    linked = re.findall(r"\]\(([\w/.-]+)\)", text)
    missing = [name for name in linked if not (ROOT / path).parent.joinpath(name).exists()]
    assert [*named, *missing] == []


def test_every_module_that_is_named_by_the_end_of_its_path_exists() -> None:
    """`context/parents.py` in ARCHITECTURE.md, or in a docstring, is the end of a file's path."""
    sources = [
        path
        for part in PARTS
        for path in (ROOT / part).rglob("*")
        if path.suffix in {".py", ".sql"}
    ]
    ends = {"/".join(path.parts[first:]) for path in sources for first in range(len(path.parts))}
    missing = {
        (path.name, name)
        for path in (ROOT / "ARCHITECTURE.md", *sources)
        for name in re.findall(r"`(?:[\w/]+/\.\.\./)?([\w/]+\.(?:py|sql))`", path.read_text())
        if name not in ends and name != "relayscope/__init__.py"
    }
    assert missing == set()
