"""The writer: one commit, each request once, refused rows apart."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import Engine, func, select, text

from relayscope.storage import Batch, WriteOutcome, Writer, tables
from tests.storage.samples import batch, log, point, span


@pytest.fixture
def writer(engine: Engine) -> Iterator[Writer]:
    """A writer into the fresh database."""
    writer = Writer(engine)
    yield writer
    writer.close()


def bodies(engine: Engine) -> list[str]:
    """Return the bodies of all stored log records."""
    with engine.connect() as connection:
        return list(connection.scalars(text("select body from relayscope.logs order by body")))


def test_what_is_written_is_committed(engine: Engine, writer: Writer) -> None:
    """Another connection sees the rows of all three signals as soon as write returns."""
    assert writer.write([batch(spans=[span()], logs=[log("hello")], points=[point()])]) == [
        WriteOutcome()
    ]
    with engine.connect() as other:
        for table in (tables.span, tables.log, tables.metric_point):
            assert other.scalar(select(func.count()).select_from(table)) == 1


def test_a_group_is_one_transaction(engine: Engine, writer: Writer) -> None:
    """All batches of a call get the same commit."""
    writer.write([batch(logs=[log(f"{number}")]) for number in range(5)])
    with engine.connect() as connection:
        transactions = connection.scalars(
            text("select distinct xmin::text from relayscope_store.log")
        )
        assert len(transactions.all()) == 1


def test_a_repeated_request_is_stored_once(engine: Engine, writer: Writer) -> None:
    """The second time is acknowledged as a duplicate and adds nothing."""
    request = batch(logs=[log("once")])
    assert writer.write([request]) == [WriteOutcome()]
    assert writer.write([request]) == [WriteOutcome(duplicate=True)]
    assert bodies(engine) == ["once"]


def test_the_same_request_twice_in_a_group_is_stored_once(engine: Engine, writer: Writer) -> None:
    """Both copies get an answer, and the rows are there once."""
    request = batch(logs=[log("once")])
    outcomes = writer.write([request, batch(logs=[log("other")]), request])
    assert [outcome.duplicate for outcome in outcomes] == [False, False, True]
    assert bodies(engine) == ["once", "other"]


def test_copies_at_the_same_moment_are_stored_once(engine: Engine) -> None:
    """Writers that race with the same requests, in different orders, store each once."""
    requests = [batch(logs=[log(f"{number:02}")]) for number in range(20)]
    orders = [requests, requests[::-1], requests[10:] + requests[:10]]
    outcomes: list[list[WriteOutcome]] = []
    together = threading.Barrier(len(orders))

    def write(order: list[Batch]) -> None:
        writer = Writer(engine)
        together.wait()
        outcomes.extend(writer.write(order[start : start + 5]) for start in range(0, 20, 5))
        writer.close()

    threads = [threading.Thread(target=write, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert bodies(engine) == [f"{number:02}" for number in range(20)]
    assert sum(not outcome.duplicate for group in outcomes for outcome in group) == 20


def test_a_request_may_come_again_after_the_window(engine: Engine, writer: Writer) -> None:
    """Forgotten digests no longer stop a request, and young ones are kept."""
    request = batch(logs=[log("twice")])
    writer.write([request])
    assert writer.forget_requests(timedelta(hours=1)) == 0
    assert writer.write([request]) == [WriteOutcome(duplicate=True)]
    assert writer.forget_requests(timedelta(0)) == 1
    assert writer.write([request]) == [WriteOutcome()]


def test_a_refused_row_takes_no_other_down(engine: Engine, writer: Writer) -> None:
    """Good rows of the same and of other batches are stored; the bad ones are counted apart."""
    good = batch(logs=[log("a"), log("b")])
    mixed = batch(logs=[log("c"), log("no\0pe"), log("d"), log("\ud800"), log("e")])
    also_good = batch(logs=[log("f")], spans=[span()])
    outcomes = writer.write([good, mixed, also_good])
    assert bodies(engine) == ["a", "b", "c", "d", "e", "f"]
    assert [outcome.rejected for outcome in outcomes] == [0, 2, 0]
    assert outcomes[1].reason == "CharacterNotInRepertoire (22021)"


def test_a_refused_request_is_not_tried_again(engine: Engine, writer: Writer) -> None:
    """Its digest is stored with its good rows, so that a repetition cannot loop."""
    request = batch(logs=[log("good"), log("no\0pe")])
    assert writer.write([request])[0].rejected == 1
    assert writer.write([request]) == [WriteOutcome(duplicate=True)]
    assert bodies(engine) == ["good"]


def test_rows_of_a_refused_resource_are_refused_with_it(engine: Engine, writer: Writer) -> None:
    """A record never refers to a resource that is not there."""
    request = batch(service="no\0pe", logs=[log("a")])
    assert writer.write([request, batch(logs=[log("b")])])[0].rejected == 1
    assert bodies(engine) == ["b"]


def test_a_hopeless_request_ends(engine: Engine, writer: Writer) -> None:
    """Thousands of bad rows cost their sender the request, and nobody else the writer."""
    hopeless = batch(logs=[log("no\0pe")] * 20_000)
    outcomes = writer.write([hopeless, batch(logs=[log("good")])])
    assert [outcome.rejected for outcome in outcomes] == [20_000, 0]
    assert bodies(engine) == ["good"]


@pytest.mark.parametrize(
    "bad",
    [
        log("x", flags=2**70),
        log("x", attributes=b"\x01{"),
        log("x", attributes=b'\x01{"a":"\\u0000"}'),
        log("x", attributes=b"\x01" + b"[" * 100_000 + b"]" * 100_000),
        log("x", time=2**63 - 2),
        log("x", attributes=None),
        log(17),
        (1, 2, 3),
    ],
    ids=str.split("flags json json_nul json_depth time null type columns"),
)
def test_whatever_is_wrong_with_a_row_only_the_row_is_refused(
    engine: Engine, writer: Writer, bad: tuple[object, ...]
) -> None:
    """Values out of range, broken JSON, missing and wrong ones."""
    assert writer.write([batch(logs=[log("a"), bad, log("b")])])[0].rejected == 1
    assert bodies(engine) == ["a", "b"]
