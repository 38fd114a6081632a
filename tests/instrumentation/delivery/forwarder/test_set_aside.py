"""A request that a collector does not take in time holds up nothing else, and is not lost."""

import time
from pathlib import Path

import grpc
import pytest

from relayscope.conventions.attributes import DELIVERY_ACKNOWLEDGED
from relayscope.instrumentation.delivery.encoding.otlp import Request, Signal
from relayscope.instrumentation.delivery.forwarder.set_aside import (
    SetAsideRequest,
    SetAsideRequests,
    records_aside,
)
from relayscope.instrumentation.delivery.launch.launcher import LOG_NAME
from relayscope.spool import KEPT, list_slots
from tests.fix_delivery import Receiver, end_forwarders, forwarders, receiving, records_in, value
from tests.fix_programs import (
    SCRIPTS,
    Run,
    eventually,
    host_environment,
    instrumented,
    python,
    run,
)

SECONDS = 1
"""Time for which the forwarder waits for an answer."""


class Slow(Receiver):
    """A receiver that takes too long for whatever holds the first mark that it has seen.

    Attributes:
        heavy: That mark.
        patience: Number of times that it takes too long; then it answers at once.
        seen: The requests that held the mark.
        stores: True if it takes them after all.
    """

    def __init__(self, patience: int, *, stores: bool) -> None:
        super().__init__()
        self.heavy: str = ""
        self.patience = patience
        self.stores = stores
        self.seen: list[bytes] = []

    def take(self, signal: str, request: bytes, context: grpc.ServicerContext) -> bytes:
        """Take a request, or too long."""
        marks = [value(record).get("mark") for record in records_in(signal, request)]
        self.heavy = self.heavy or next((mark for mark in marks if mark), "")
        if self.heavy and self.heavy in marks:
            self.seen.append(request)
            if len(self.seen) <= self.patience:
                if self.stores:
                    super().take(signal, request, context)
                time.sleep(SECONDS + 0.5)
                context.abort(grpc.StatusCode.UNAVAILABLE, "too slow")
        return super().take(signal, request, context)


def variables(receiver: Receiver) -> dict[str, str]:
    """Return the environment of programs that send to a receiver."""
    return host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_EXPORTER_OTLP_TIMEOUT=str(SECONDS),
        OTEL_TRACES_EXPORTER="none",
    )


def emitted(receiver: Receiver, *arguments: str) -> list[str]:
    """Run a host to its end; return the marks of what it has emitted."""
    finished = run(instrumented("host", python("emitter.py", *arguments)), variables(receiver))
    assert finished.returncode == 0, finished.stderr
    return [mark for mark in finished.stdout.split()[: int(arguments[0]) + 1] if mark]


def asked(option: str, receiver: Receiver) -> Run:
    """Run relayscope-instrument with an option alone."""
    return run([str(SCRIPTS / "relayscope-instrument"), option], variables(receiver))


def logs_of(marks: list[str]) -> set[str]:
    """The marks without that of the one span, which comes second."""
    return {*marks[:1], *marks[2:]}


def test_what_is_never_taken_in_time_holds_nothing_up(spool_dir: Path) -> None:
    """It is halved until the heavy record is alone; all others arrive, and it stays."""
    with receiving(Slow(10**6, stores=False)) as receiver:
        assert isinstance(receiver, Slow)
        marks = logs_of(emitted(receiver, "2"))
        later = logs_of(emitted(receiver, "3"))
        eventually(lambda: receiver.marks().keys() == {*marks, *later} - {receiver.heavy})
        eventually(lambda: forwarders(spool_dir) == [])

        for option in ("--status", "--flush"):
            said = asked(option, receiver).stdout
            assert "host: " in said
            assert "1 of them set aside" in said
        assert max(receiver.marks().values()) == 1
        assert "are set aside" in (spool_dir / "host" / LOG_NAME).read_text()

        receiver.patience = 0
        eventually(lambda: asked("--flush", receiver).returncode == 0)
    assert receiver.marks().keys() == {*marks, *later}
    assert max(receiver.marks().values()) == 1
    assert list_slots(spool_dir / "host") == []
    # Either host's record may have come first: a forwarder may have started late.
    of_the_heavy = marks if receiver.heavy in marks else later
    assert receiver.accounts()[-1][DELIVERY_ACKNOWLEDGED] == len(of_the_heavy)


def test_what_was_stored_too_late_is_sent_again_with_the_same_bytes(spool_dir: Path) -> None:
    """A collector knows it again; what came after it has gone round it meanwhile."""
    with receiving(Slow(2, stores=True)) as receiver:
        assert isinstance(receiver, Slow)
        marks = logs_of(emitted(receiver, "5"))
        eventually(lambda: list_slots(spool_dir / "host") == [])

    assert len(receiver.seen) >= 3
    assert len(set(receiver.seen)) == 1
    assert receiver.marks().keys() == marks
    assert max(receiver.marks().values()) == 1


def test_what_is_set_aside_outlives_its_forwarder(spool_dir: Path) -> None:
    """Killed at any moment: the next one sends the same bytes, and the spool goes then."""
    with receiving(Slow(1, stores=True)) as receiver:
        assert isinstance(receiver, Slow)
        marks = logs_of(emitted(receiver, "5"))
        eventually(lambda: list(spool_dir.glob(f"*/*/{KEPT}*")) or len(receiver.seen) > 1)
        end_forwarders(spool_dir)
        eventually(lambda: asked("--flush", receiver).returncode == 0)

    assert len(set(receiver.seen)) == 1
    assert receiver.marks().keys() == marks
    assert list_slots(spool_dir / "host") == []


def test_a_collector_that_takes_nothing_has_nothing_set_aside(spool_dir: Path) -> None:
    """If a small record is not taken either, no request is at fault: all wait in their place."""

    def hang(context: grpc.ServicerContext) -> bytes:
        time.sleep(SECONDS + 0.5)
        context.abort(grpc.StatusCode.UNAVAILABLE, "too slow")

    with receiving(Receiver(script=[hang] * 4)) as receiver:
        marks = logs_of(emitted(receiver, "5"))
        eventually(lambda: len(receiver.script) <= 1)
        assert list(spool_dir.glob(f"*/*/{KEPT}*")) == []
        eventually(lambda: receiver.marks().keys() == marks)
    assert max(receiver.marks().values()) == 1


def request(number: int, records: int = 1) -> Request:
    """Make a request, or what passes for one."""
    return Request(Signal.LOGS, records, b"%d" % number)


@pytest.mark.parametrize("damage", [b"", b"x", b"\0" * 100])
def test_what_is_damaged_is_no_request(damage: bytes, tmp_path: Path) -> None:
    """It is told of, and not sent."""
    SetAsideRequests(tmp_path).add(request(1), 1.0)
    (path,) = tmp_path.glob(f"{KEPT}*")
    path.write_bytes(damage)

    with pytest.raises(ValueError, match="damaged"):
        SetAsideRequest(path).load()
    assert records_aside(tmp_path) == 0


def test_what_is_aside_is_bounded(tmp_path: Path) -> None:
    """The sixteenth fills it; the same request takes one place."""
    asides = SetAsideRequests(tmp_path)
    for number in range(15):
        asides.add(request(number), 1.0)
        asides.add(request(number), 1.0)
    assert asides.has_room
    asides.add(request(15), 1.0)

    assert not asides.has_room
    assert records_aside(tmp_path) == 16
    assert request(3) in SetAsideRequests(tmp_path)
    assert request(16) not in SetAsideRequests(tmp_path)
