"""However much a host logs, a bounded part of it is kept, without half secrets."""

import sys
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from relayscope.conventions.attributes import ATTRIBUTES_CUT, BODY_SIZE
from relayscope.instrumentation.recording.body_limit import DEFAULT_BODY_LIMIT, MARGIN
from relayscope.instrumentation.recording.bounds import (
    DEAR_LIMIT,
    LONGEST_NAME,
    Bounds,
    clean_attributes,
    clean_name,
    clean_record,
)
from relayscope.sanitizer import Sanitizer
from tests.fix_delivery import Receiver, value
from tests.fix_programs import eventually, host_environment, instrumented, run

SANITIZER = Sanitizer.default()
LIMIT = 3 * MARGIN
SECRET = "ghp_" + "a1B2c3D4e5" * 4
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.lists(inner).map(tuple),
    max_leaves=40,
)


def weight(thing: object) -> int:
    """Count what looking through a value takes."""
    if isinstance(thing, str | bytes):
        return len(thing)
    if isinstance(thing, Mapping):
        return sum(16 + weight(key) + weight(item) for key, item in thing.items())
    if isinstance(thing, list | tuple):
        return sum(16 + weight(item) for item in thing)
    return 0


@given(VALUES, st.integers(0, 400))
def test_no_more_is_taken_than_fits(thing: Any, limit: int) -> None:
    """An object that fits is returned itself; another is cut to the limit, and marked."""
    bounds = Bounds(limit)

    taken = bounds.take(thing)

    assert weight(taken) <= limit
    if not bounds.exceeded:
        assert taken is thing
    assert bounds.exceeded or weight(thing) <= limit


@pytest.mark.parametrize("before", range(LIMIT - len(SECRET) - 2, LIMIT + 2))
@pytest.mark.parametrize("place", ["body", "attribute", "element", "name"])
def test_a_cut_leaves_no_half_of_a_secret(before: int, place: str) -> None:
    """Wherever the cut goes through it, and whatever is added behind it."""
    text = "\ud800" + "x" * (before - 1) + " " + SECRET + "y" * 100
    kept: object
    if place == "body":
        kept = clean_record(SANITIZER, {}, text, LIMIT)
    elif place == "attribute":
        kept = clean_attributes(SANITIZER, {"a": 1, "b": text, "c": 2}, Bounds(LIMIT))
    elif place == "element":
        kept = clean_attributes(SANITIZER, {"a": ["x", text]}, Bounds(LIMIT))
    else:
        shift = "x" * (LONGEST_NAME + before - LIMIT)
        kept = clean_name(SANITIZER, f"{shift} {SECRET}{'y' * MARGIN}")

    assert SECRET[:12] not in str(kept)


DENSE = {
    "passwords": "password=hunter2x{}\n",
    "rows": '{{"id": {}, "token": "abc"}}\n',
    "tokens": "ghp_16C7e42F292c6912E7710c838347Ae178B{:04}\n",
    "cards": "4111 1111 1111 1111 and {}\n",
}


@pytest.mark.parametrize("line", DENSE.values(), ids=DENSE)
def test_what_takes_long_to_be_searched_is_cut_sooner(line: str) -> None:
    """In a body, attributes, lists and all of a span's events together: it is the host's thread."""
    text = "".join(map(line.format, range(20_000)))[:DEFAULT_BODY_LIMIT]
    pieces = [text[start : start + 4096] for start in range(0, len(text), 4096)]
    events = Bounds(DEFAULT_BODY_LIMIT)

    attributes, body = clean_record(SANITIZER, {"a": text}, text, DEFAULT_BODY_LIMIT)
    listed = clean_attributes(SANITIZER, {"a": pieces}, Bounds(DEFAULT_BODY_LIMIT))
    added = [clean_attributes(SANITIZER, {"a": piece}, events) for piece in pieces]

    assert attributes[ATTRIBUTES_CUT] is listed[ATTRIBUTES_CUT] is True
    for kept in (attributes, body, listed, added):
        assert 1000 < len(str(kept)) < 3 * DEAR_LIMIT
    assert any(ATTRIBUTES_CUT in each for each in added)


def test_what_is_searched_soon_is_kept_whole() -> None:
    """However long, up to the limit: a listing, with secrets at its beginning and at its end."""
    listing = "\n".join(f"/srv/data/file-{number}.txt 12 kB" for number in range(7000))
    text = f"password=hunter2x\n{listing}\nexport API_KEY=hunter2y"

    clean = clean_attributes(
        SANITIZER, {"a": text, "b": [listing[:9000]] * 3}, Bounds(len(text) * 2)
    )

    assert ATTRIBUTES_CUT not in clean
    assert listing in str(clean["a"])
    assert "hunter2" not in str(clean)


LOUD = """
import logging
from opentelemetry import trace
text = "word " * 200_000
logging.basicConfig(handlers=[logging.NullHandler()])
log = logging.getLogger("host")
log.warning(text)
log.warning("extra", extra={"payload": text, "deep": [text] * 3, "many": list(range(200_000))})
try:
    raise RuntimeError(text)
except RuntimeError as error:
    log.exception("raised")
    with trace.get_tracer("host").start_as_current_span(text, attributes={"a": text}) as span:
        for _ in range(100):
            span.record_exception(error)
        span.add_event(text, {"b": text})
"""


def test_what_a_host_logs_is_kept_within_bounds(receiver: Receiver) -> None:
    """Body, attributes, exceptions, names of spans and events: each has its bound, and says so."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)

    finished = run(instrumented("host", [sys.executable, "-c", LOUD]), environment)

    assert finished.stderr == ""
    eventually(receiver.accounts)
    said = [record for record in receiver.records() if getattr(record, "event_name", "") == ""]
    logs = {
        record.body.string_value[:6]: record for record in said if isinstance(record, LogRecord)
    }
    (span,) = (record for record in said if isinstance(record, Span))
    assert len(logs) == 3
    assert value(logs["word w"])[BODY_SIZE] == 1_000_000
    assert len(logs["word w"].body.string_value) == DEFAULT_BODY_LIMIT - MARGIN
    for record in (logs["extra"], logs["raised"], span):
        assert value(record)[ATTRIBUTES_CUT] is True
        assert record.ByteSize() < 2 * DEFAULT_BODY_LIMIT
    assert len(span.name) == LONGEST_NAME
    assert len(span.events[-1].name) == LONGEST_NAME
