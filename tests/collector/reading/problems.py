"""The output of `relayscope problems`, and records of calls that go wrong."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from click.testing import CliRunner

from relayscope.collector.cli.main import main
from relayscope.conventions.attributes import (
    CHANNEL_ID,
    ERROR_TYPE,
    GEN_AI_TOOL_NAME,
    JSONRPC_REQUEST_ID,
    MCP_METHOD_NAME,
    MESSAGE_DIRECTION,
    MESSAGE_KIND,
    PEER,
)
from relayscope.storage import Row, rows
from tests.storage.samples import TRACE, log, span

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from click.testing import Result


def problems(database_url: str, *options: str, **environment: str) -> str:
    """The output of the command."""
    return printed("problems", database_url, *options, **environment)


def printed(command: str, database_url: str, *options: str, **environment: str) -> str:
    """The output of any command that reads."""
    return _run(command, database_url, options, environment).stdout


def complaints(command: str, database_url: str, *options: str) -> str:
    """The complaints of a command, beside its output."""
    return _run(command, database_url, options, {}).stderr


def _run(
    command: str, database_url: str, options: Sequence[str], environment: Mapping[str, str]
) -> Result:
    result = CliRunner().invoke(
        main,
        [command, *options, "--database-url", database_url],
        env=environment,
        catch_exceptions=False,
    )
    assert result.exit_code == 0
    return result


def asked(
    *,
    seconds_ago: float,
    by: bytes,
    direction: str,
    trace_id: bytes = TRACE.bytes,
    channel: str = "",
) -> Row:
    """The record of a request, at either end."""
    attributes = {
        MESSAGE_KIND: "request",
        MESSAGE_DIRECTION: direction,
        MCP_METHOD_NAME: "tools/call",
        GEN_AI_TOOL_NAME: "die",
        JSONRPC_REQUEST_ID: "7",
        PEER: "stdio",
        **({CHANNEL_ID: channel} if channel else {}),
    }
    at = time.time_ns() - round(seconds_ago * 1e9)
    body = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"die"}}'
    columns = {"span_id": by, "trace_id": trace_id, "attributes": rows.jsonb(attributes)}
    return log(body, at=at, **columns)


def call(attributes: dict[str, str], *, by: bytes, kind: int, parent: bytes | None = None) -> Row:
    """The span of a call that failed."""
    own = {
        MCP_METHOD_NAME: "tools/call",
        GEN_AI_TOOL_NAME: "die",
        JSONRPC_REQUEST_ID: "7",
        **attributes,
    }
    at = time.time_ns() - 60 * 10**9
    columns = {"status_code": 2} if ERROR_TYPE in attributes else {}
    return span(
        start=at, end=at, span_id=by, parent_span_id=parent, kind=kind,
        attributes=rows.jsonb(own), **columns,
    )  # fmt: skip


def told(database_url: str) -> list[tuple[str, str]]:
    """The components that have problems, and their kinds."""
    found = map(json.loads, problems(database_url, "--json").splitlines())
    return [(one["component"], one["kind"]) for one in found if one["kind"] != "silent"]
