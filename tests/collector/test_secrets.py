"""D1: a secret that is sent anywhere in telemetry is found nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
import pytest
from sqlalchemy import Engine, select

from relayscope.collector.signals import LOGS, METRICS, TRACES, Signal
from relayscope.storage import tables
from tests import otlp_samples
from tests.fix_collector import Collector, export

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from google.protobuf.message import Message

# Each is recognised by its looks, wherever it stands; made up, and split for those who scan us.
CANARY = "16C7e42F292c6912E7710c838347Ae178B4a"
SECRETS = {
    "forge token": f"ghp_{CANARY}",
    "bearer": f"Authorization: Bearer {CANARY}",
    "password": f"password={CANARY}",
    "in JSON": f'{{"nested": {{"api_key": "{CANARY}"}}}}',
    "JSON in JSON": f'{{"text": "{{\\"api_key\\": \\"{CANARY}\\"}}"}}',
    "in a URL": f"https://user:{CANARY}@example.com/",
}
GOLDEN: dict[Signal, Message] = {
    TRACES: otlp_samples.traces(),
    LOGS: otlp_samples.logs(),
    METRICS: otlp_samples.metrics(),
}


def poisoned(message: Message, secret: str) -> bytes:
    """The request with the secret in every text: names, keys, values, bodies, links, exemplars."""
    copy: Any = type(message).FromString(message.SerializeToString())
    for part in otlp_samples.parts(copy):
        for field, value in part.ListFields():
            if field.type != field.TYPE_STRING:
                continue
            if field.is_repeated:
                value[:] = [secret] * len(value)
            else:
                setattr(part, field.name, f"{secret} {value}" if field.name == "key" else secret)
    raw: bytes = copy.SerializeToString()
    return raw


def everything_stored(engine: Engine) -> Iterator[str]:
    """Each row of each table, as text."""
    with engine.connect() as connection:
        for table in tables.metadata.sorted_tables:
            yield from map(repr, connection.execute(select(table)))


@pytest.mark.parametrize("kind", SECRETS)
def test_a_secret_is_found_in_no_column_no_log_no_answer_and_no_file(
    collector: Collector, engine: Engine, tmp_path: Path, kind: str
) -> None:
    """Sent in every text of a request of each signal that has every field set."""
    answers = []
    with grpc.insecure_channel(collector.grpc) as channel:
        answers += [
            export(channel, signal, poisoned(golden, SECRETS[kind]))
            for signal, golden in GOLDEN.items()
        ]
    answers += [
        collector.post(signal.name, b"\xff" + SECRETS[kind].encode()).body for signal in GOLDEN
    ]
    answers.append(collector.ask("GET", "/metrics").body)
    assert collector.stop() == 0

    stored = list(everything_stored(engine))
    assert len(stored) > 20
    assert not [row for row in stored if CANARY in row]
    assert CANARY not in str(collector.log)
    assert CANARY.encode() not in b"".join(answers)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]
