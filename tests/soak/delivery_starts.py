"""Scenarios in which short programs start, of one environment or two: no process is left behind."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import venv
from pathlib import Path
from typing import TYPE_CHECKING

import relayscope
from tests.fix_delivery import forwarders
from tests.fix_programs import instrumented, python
from tests.soak.field import RECOVERY_SECONDS

if TYPE_CHECKING:
    import random

    from tests.fix_proxy import Proxy
    from tests.soak.field import Field
    from tests.soak.hosts import Hosts

_EMITTER = "from tests.programs.emitter import main; main()"
_INSTRUMENT = "from relayscope.instrumentation.command import main; main()"
_ROOT = Path(__file__).parents[2]


def short_programs(_: Field, hosts: Hosts, __: Proxy, rounds: int, chance: random.Random) -> None:
    """Ten programs in a round, one of each kind, in any order and some at a time.

    Most end before their forwarder is up, which takes half a second.
    """
    hosts.variables["PYTHONPATH"] = str(_ROOT)
    with tempfile.TemporaryDirectory(prefix="soak-scripts-") as folder:
        console = _console_script(Path(folder) / "emitter", sys.executable, _EMITTER)
        kinds = [
            python("emitter.py", "2"),
            [sys.executable, "-m", "tests.programs.emitter", "2"],
            [sys.executable, "-c", _EMITTER, "2"],
            [console, "2"],
            python("emitter.py", "1"),
            python("emitter.py", "2", "--then", "leave"),
            python("emitter.py", "2", "--then", "kill"),
            python("emitter.py", "2", "--then", "raise"),
            python("emitter.py", "2", "--then", "fork"),
            python("emitter.py", "2", "--then", "pool"),
        ]
        for _round in range(rounds):
            chance.shuffle(kinds)
            for command in kinds:
                hosts.launch(instrumented(hosts.component, command))
                time.sleep(chance.uniform(0.0, 0.3))
            hosts.settle()
            _wait_until_none_is_left(hosts)


def two_environments(_: Field, hosts: Hosts, __: Proxy, rounds: int, ___: random.Random) -> None:
    """Two environments start programs of each other, and of a third, which has no relayscope."""
    with tempfile.TemporaryDirectory(prefix="soak-environments-") as folder:
        other = _second_environment(Path(folder) / "second")
        instrument = _console_script(Path(folder) / "instrument", other, _INSTRUMENT)
        venv.create(Path(folder) / "bare", symlinks=True)
        emitter = python("emitter.py", "20")
        theirs = [instrument, "--service-name", hosts.component, "--"]
        for _round in range(rounds):
            hosts.launch([*theirs, *emitter])
            hosts.launch(instrumented(hosts.component, [other, *emitter[1:]]))
            hosts.settle()
            _wait_until_none_is_left(hosts)
            _run_untraced(hosts, str(Path(folder) / "bare" / "bin" / "python"))


def _wait_until_none_is_left(hosts: Hosts) -> None:
    """Let the forwarders end by themselves."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    while left := forwarders(hosts.spools):
        if time.monotonic() > deadline:
            raise AssertionError(f"forwarders are left with nothing to do: {left}")
        time.sleep(0.05)


def _run_untraced(hosts: Hosts, bare: str) -> None:
    """Run a program where relayscope is not installed; it leaves neither files nor processes."""
    before = sorted(hosts.spools.rglob("*"))
    command = instrumented("untraced", [bare, "-c", "print('ran')"])
    command.insert(1, "--force")
    said = subprocess.run(
        command, env=hosts.environment(), check=True, capture_output=True, text=True
    )
    if said.stdout != "ran\n" or "nothing will be seen" not in said.stderr:
        raise AssertionError(f"a program without relayscope did not run as it is: {said}")
    if sorted(hosts.spools.rglob("*")) != before or forwarders(hosts.spools):
        raise AssertionError("an untraced program has left something")


def _second_environment(folder: Path) -> str:
    """Make another environment with relayscope, and return its Python.

    It has OpenTelemetry's packages as copies, and with them a `sitecustomize` of its own; the rest
    is found where the first environment has it.
    """
    venv.create(folder, symlinks=True)
    packages = Path(sysconfig.get_path("purelib"))
    (own,) = folder.glob("lib/python3*/site-packages")
    shutil.copytree(packages / "opentelemetry", own / "opentelemetry")
    sources = [str(Path(path).parent) for path in relayscope.__path__]
    (own / "first.pth").write_text("\n".join([str(packages), *sources]) + "\n")
    return str(folder / "bin" / "python")


def _console_script(path: Path, interpreter: str, code: str) -> str:
    """Write what pip writes for an entry point."""
    path.write_text(f"#!{interpreter}\n{code}\n")
    path.chmod(0o755)
    return str(path)
