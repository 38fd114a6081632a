"""`relayscope problems` in a file, a pipe and a terminal."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from relayscope.collector.cli.main import main
from relayscope.conventions.attributes import MESSAGE_DIRECTION, MESSAGE_KIND, MESSAGE_ODD, PEER
from relayscope.storage import Writer, rows
from tests.storage.samples import batch, log

if TYPE_CHECKING:
    from sqlalchemy import Engine

SAID = " and ".join(f"reason {number}" for number in range(30))


@pytest.fixture
def odd(engine: Engine) -> None:
    """A message that is odd, and long."""
    attributes = {
        MESSAGE_ODD: "wrong_side",
        MESSAGE_KIND: "request",
        MESSAGE_DIRECTION: "received",
        PEER: "127.0.0.1:9051",
    }
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "x", "params": {"said": SAID}})
    writer = Writer(engine)
    writer.write([batch(logs=[log(body, severity_number=13, attributes=rows.jsonb(attributes))])])
    writer.close()


def problems(database_url: str, **environment: str) -> str:
    """What the command prints."""
    result = CliRunner().invoke(
        main, ["problems", "--database-url", database_url], env=environment, catch_exceptions=False
    )
    assert result.exit_code == 0
    return result.stdout


@pytest.mark.usefixtures("odd")
def test_evidence_is_whole_for_who_reads_it_later(database_url: str) -> None:
    """In a pipe or a file there is no width to be cut to."""
    assert SAID in problems(database_url)


@pytest.mark.usefixtures("odd")
def test_evidence_is_one_line_of_a_terminal(database_url: str) -> None:
    """What is longer than its width is cut, and that is seen."""
    shown = problems(database_url, TTY_COMPATIBLE="1", COLUMNS="80", NO_COLOR="1")
    assert max(map(len, shown.splitlines()[1:])) <= 80
    assert "…" in shown
