"""Problems of connections that were not made."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from relayscope.conventions.attributes import ERROR_TYPE, NETWORK_TRANSPORT, PEER
from relayscope.storage import Writer, rows
from tests.collector.reading.problems import problems
from tests.storage.samples import NOW, batch, span

if TYPE_CHECKING:
    from sqlalchemy import Engine


@pytest.mark.parametrize(
    ("transport", "error", "said"),
    [
        ("tcp", "ConnectError", "could not connect to npx: ConnectError"),
        ("pipe", "FileNotFoundError", "could not start npx: No such file or directory"),
        ("pipe", "PermissionError", "could not start npx: Permission denied"),
        ("pipe", "BlockingIOError", "could not start npx: BlockingIOError"),
    ],
)
def test_what_was_not_reached_is_told_from_what_did_not_start(
    database_url: str, engine: Engine, transport: str, error: str, said: str
) -> None:
    """A child process is started, and everybody else connected to; the reason is below."""
    attributes = {NETWORK_TRANSPORT: transport, PEER: "npx", ERROR_TYPE: error}
    failed = span(
        start=NOW - 10**9,
        kind=3,
        status_code=2,
        status_message="[Errno 7] no: '/bin/npx'",
        attributes=rows.jsonb(attributes),
    )
    writer = Writer(engine)
    writer.write([batch(service="relay", spans=[failed])])
    writer.close()

    told = problems(database_url)
    assert f"relay {said}" in told
    assert "[Errno 7] no: '/bin/npx'" in told
