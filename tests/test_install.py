"""Promises of INSTALL.md: what it says to write works as it is written."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import yaml
from sqlalchemy import text

from tests.fix_delivery import end_forwarders
from tests.fix_programs import PROGRAMS, SCRIPTS, eventually, host_environment, line, run

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.fix_collector import StartCollector

PAGE = (Path(__file__).parents[1] / "INSTALL.md").read_text()
(TOKENS,) = re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
BEFORE, AFTER = (
    json.loads(block)["mcpServers"]["relay"]
    for block in re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
)
EXPORTED = dict(re.findall(r"^export (\w+)=(.*)$", PAGE, re.MULTILINE))


def test_a_relay_of_mcp_servers_is_traced_with_the_token_of_the_page(
    start_collector: StartCollector, engine: Engine, tmp_path: Path
) -> None:
    """The entry as printed, but for its paths, without a shell; its call is stored."""
    shutil.copy(PROGRAMS / "websocket_relay.py", tmp_path / "relay.py")

    def real(word: str) -> str:
        word = word.replace("/home/me/relay/.venv/bin/python", sys.executable)
        word = word.replace("/home/me/relay/.venv/bin", str(SCRIPTS))
        return word.replace("/home/me/relay", str(tmp_path))

    collector = start_collector(
        environment={"RELAYSCOPE_TOKENS": json.dumps(yaml.safe_load(TOKENS)["tokens"])}
    )
    address = f"http://{collector.grpc}"
    header = {"OTEL_EXPORTER_OTLP_HEADERS": EXPORTED["OTEL_EXPORTER_OTLP_HEADERS"]}
    call = line(id=1, method="tools/call", params={"name": "lookup", "arguments": {}})
    answers = []
    for entry in (BEFORE, AFTER):
        command = [real(entry["command"]), *map(real, entry["args"])]
        own = header | dict.fromkeys(entry.get("env", {}), address)
        environment = host_environment(
            HOME=str(tmp_path),
            PATH="/usr/bin:/bin",
            RELAYSCOPE_SPOOL_DIR=str(tmp_path / "spool"),
            **own,
        )
        finished = run(command, environment, call)
        assert (finished.returncode, finished.stderr) == (0, "")
        answers.append(finished.stdout)
    assert answers[0] == answers[1]

    def is_stored() -> bool:
        with engine.connect() as connection:
            found = connection.scalars(
                text("select tool from relayscope.calls where component = 'relay'")
            )
            return "lookup" in found.all()

    try:
        eventually(is_stored)
    finally:
        end_forwarders(tmp_path / "spool")


def test_every_example_of_a_process_names_the_header_of_the_token() -> None:
    """The same for all: whoever copies one need not look for it."""
    folder = Path(__file__).parents[1] / "otel-config"
    said = f"# OTEL_EXPORTER_OTLP_HEADERS={EXPORTED['OTEL_EXPORTER_OTLP_HEADERS']}\n"
    for name in ("relay.env", "backend.env", "client.env"):
        assert said in (folder / name).read_text()
