"""D1: a secret that is sent anywhere in telemetry is found nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import grpc
from sqlalchemy import Engine, text

from relayscope.collector.signals import LOGS, METRICS, TRACES, Signal
from tests import otlp_samples
from tests.fix_collector import Collector, StartCollector, export
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from google.protobuf.message import Message

    from tests.fix_proxy import Proxy

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
    """Each row of each table that PostgreSQL knows of and did not bring along, as text."""
    with engine.connect() as connection:
        found = connection.execute(
            text(
                "select format('select t::text from %I.%I t', schemaname, tablename) from pg_tables"
                " where schemaname not in ('pg_catalog', 'information_schema')"
            )
        )
        for statement in found.scalars().all():
            yield from connection.exec_driver_sql(statement).scalars()


def test_a_secret_is_found_in_no_column_no_log_no_answer_and_no_file(
    collector: Collector, engine: Engine, tmp_path: Path
) -> None:
    """Sent in every text of a request of each signal that has every field set."""
    answers = []
    with grpc.insecure_channel(collector.grpc) as channel:
        for secret in SECRETS.values():
            for signal, golden in GOLDEN.items():
                answers.append(export(channel, signal, poisoned(golden, secret)))
                answers.append(collector.post(signal.name, b"\xff" + secret.encode()).body)
    answers.append(collector.ask("GET", "/metrics").body)
    assert collector.stop() == 0

    stored = list(everything_stored(engine))
    assert len(stored) > 20 * len(SECRETS)
    assert not [row for row in stored if CANARY in row]
    assert CANARY not in str(collector.log)
    assert CANARY.encode() not in b"".join(answers)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if CANARY.encode() in path.read_bytes()]


def test_a_secret_is_in_no_file_of_the_outage_spool(
    start_collector: StartCollector,
    proxied_database_url: str,
    database_proxy: Proxy,
    engine: Engine,
    tmp_path: Path,
) -> None:
    """D1: what waits on disk while PostgreSQL is away is sanitized, and so is what comes of it."""
    environment = {"RELAYSCOPE_DATABASE_URL": proxied_database_url}
    collector = start_collector(environment=environment)
    database_proxy.stop()
    for secret in SECRETS.values():
        for signal, golden in GOLDEN.items():
            assert collector.post(signal.name, poisoned(golden, secret)).status == 200
    collector.kill()

    files = [path.read_bytes() for path in (tmp_path / "data" / "outage").rglob("*.segment")]
    # Text can be read in the spool, so a secret could be, too.
    assert b"REDACTED" in b"".join(files)
    assert CANARY.encode() not in b"".join(files)
    assert CANARY not in str(collector.log)
    database_proxy.start()
    restarted = start_collector(environment=environment)
    eventually(lambda: sum(1 for _ in everything_stored(engine)) > 20)
    assert restarted.stop() == 0
    assert not [row for row in everything_stored(engine) if CANARY in row]


def test_a_secret_is_in_no_partial_success(collector: Collector) -> None:
    """D1: the reason why something was not stored repeats nothing of it."""
    request: Any = TRACES.request()
    spans = request.resource_spans.add().scope_spans.add().spans
    for secret in SECRETS.values():
        spans.add(name=secret, trace_state=secret, trace_id=CANARY.encode()[:15])
    with grpc.insecure_channel(collector.grpc) as channel:
        answer = export(channel, TRACES, request.SerializeToString())
    answer += collector.post("traces", request.SerializeToString()).body

    assert answer
    assert CANARY[:15].encode() not in answer
    assert CANARY[:15] not in str(collector.log)
