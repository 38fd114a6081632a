"""R8, R9: what is sent again is stored once, and what only shares ids is stored as itself."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import grpc
from sqlalchemy import Engine, text

from relayscope.collector.signals import TRACES
from tests.fix_collector import PATIENCE, PROTOBUF, Collector, export
from tests.fix_oracle import Oracle
from tests.fix_programs import eventually
from tests.otlp_samples import SPAN_ID, START, TRACE_ID

if TYPE_CHECKING:
    from collections.abc import Sequence


def names(engine: Engine) -> Sequence[str]:
    """The names of all spans."""
    with engine.connect() as connection:
        return connection.execute(text("select name from relayscope.spans")).scalars().all()


def test_a_lost_answer_costs_no_second_copy(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """R8: a client that hears nothing after the commit sends again; it hears OK, and one row is."""
    marks, request = Oracle().issue("traces")
    host, _, port = emptied_collector.http.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as client:
        client.sendall(
            f"POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-type: {PROTOBUF}\r\n"
            f"content-length: {len(request)}\r\n\r\n".encode()
            + request
        )
        eventually(lambda: len(names(shared_engine)) == len(marks))

    assert emptied_collector.post("traces", request).status == 200
    with grpc.insecure_channel(emptied_collector.grpc) as channel:
        assert export(channel, TRACES, request) == b""
    assert len(names(shared_engine)) == len(set(names(shared_engine))) == len(marks)


def test_a_stranger_with_the_same_ids_takes_nothing_away(
    emptied_collector: Collector, shared_engine: Engine
) -> None:
    """R9: another trace with a known span id, and the same ids with another body, are stored."""
    spans = (
        ("first", TRACE_ID),
        ("same span id in another trace", TRACE_ID[::-1]),
        ("same ids, other body", TRACE_ID),
    )
    for name, trace_id in spans:
        request: Any = TRACES.request()
        request.resource_spans.add().scope_spans.add().spans.add(
            name=name, trace_id=trace_id, span_id=SPAN_ID, start_time_unix_nano=START
        )
        assert emptied_collector.post("traces", request.SerializeToString()).status == 200

    assert sorted(names(shared_engine)) == sorted(name for name, _ in spans)
