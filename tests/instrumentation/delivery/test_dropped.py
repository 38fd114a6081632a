"""Records that a process could not keep: `relayscope-instrument --status` tells of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fix_delivery import end_forwarders
from tests.fix_programs import SCRIPTS, Run, host_environment, instrumented, python, run
from tests.soak.full import small_disk

if TYPE_CHECKING:
    from pathlib import Path


def status(environment: dict[str, str]) -> Run:
    """The output of the command, and how it ends."""
    return run([str(SCRIPTS / "relayscope-instrument"), "--status"], environment)


def test_records_that_a_full_disk_refused_are_told(tmp_path: Path) -> None:
    """How many, and why; the process that dropped them was killed, and the collector is away."""
    with small_disk(tmp_path) as mounted:
        if not mounted:
            pytest.skip("only root may mount a small disk")
        environment = host_environment(
            OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1", RELAYSCOPE_SPOOL_DIR=str(tmp_path)
        )
        assert "not recorded" not in status(environment).stdout
        run(
            instrumented(
                "host", python("emitter.py", "20000", "--bytes", "1000", "--then", "kill")
            ),
            environment,
        )
        end_forwarders(tmp_path)
        said = status(environment)
    assert said.returncode == 1, said.stdout
    (line,) = [line for line in said.stdout.splitlines() if "not recorded" in line]
    number, _, reason = line.strip().partition(" not recorded: ")
    assert 0 < int(number) < 20_000
    assert reason == "the disk is full, or their spool"
