"""Clients that find out what a server speaks, and servers that answer with an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relayscope.conventions.attributes import (
    ERROR_TYPE,
    GEN_AI_TOOL_NAME,
    MCP_METHOD_NAME,
    RPC_RESPONSE_STATUS_CODE,
)
from relayscope.storage import Row, Writer
from tests.collector.reading.problems import call, problems
from tests.storage.samples import batch

if TYPE_CHECKING:
    from sqlalchemy import Engine

FAILED = {ERROR_TYPE: "tool_error", GEN_AI_TOOL_NAME: "total"}
PROBE = {MCP_METHOD_NAME: "server/discover", GEN_AI_TOOL_NAME: "probe"}


def probe(error: str) -> list[Row]:
    """The spans of a relay that has failed after a backend had refused `server/discover`."""
    served = call(FAILED, by=b"relay..1", kind=2)
    refused = {ERROR_TYPE: error, RPC_RESPONSE_STATUS_CODE: error}
    asked = call(PROBE | refused, by=b"relay..2", kind=3, parent=b"relay..1")
    # Of a client's mistake, the server's span says no more than the code.
    said = {RPC_RESPONSE_STATUS_CODE: error}
    return [served, asked, call(PROBE | said, by=b"backend1", kind=2, parent=b"relay..2")]


@pytest.mark.parametrize("error", ["-32600", "-32601", "-32602", "404", "405"])
def test_a_probe_that_is_refused_is_no_problem_and_hides_none(
    database_url: str, engine: Engine, error: str
) -> None:
    """The client goes on with a handshake; what the relay fails at afterwards is its own."""
    writer = Writer(engine)
    writer.write([batch(spans=probe(error))])
    writer.close()
    shown = problems(database_url)
    assert "probe" not in shown
    assert "tool total" in shown


@pytest.mark.parametrize("error", ["-32022", "500", "ConnectError"])
def test_a_probe_after_which_there_may_be_no_handshake_is_told(
    database_url: str, engine: Engine, error: str
) -> None:
    """No version in common, or a server that is out of order."""
    writer = Writer(engine)
    writer.write([batch(spans=probe(error))])
    writer.close()
    assert "probe" in problems(database_url)
