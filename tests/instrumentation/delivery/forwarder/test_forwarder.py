"""Promises of the forwarder, whatever the collector does."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from signal import SIGKILL

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.rpc.error_details_pb2 import RetryInfo
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsPartialSuccess,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from relayscope.conventions.attributes import (
    BODY_SHA256,
    BODY_SIZE,
    DELIVERY_ACKNOWLEDGED,
    DELIVERY_DROPPED,
)
from relayscope.conventions.environment import RELAYSCOPE_SPOOL_DIR
from tests.fix_delivery import (
    Receiver,
    end_forwarders,
    forwarders,
    marks_in,
    receiving,
    records_in,
    value,
)
from tests.fix_programs import (
    SCRIPTS,
    eventually,
    host_environment,
    instrumented,
    python,
    run,
)

Answer = Callable[[grpc.ServicerContext], bytes]
FOUR_MIB = 4 * 2**20


def refusing(code: grpc.StatusCode, retry_after: int | None = None) -> Answer:
    """Return what answers with an error."""

    def answer(context: grpc.ServicerContext) -> bytes:
        if retry_after is not None:
            info = RetryInfo(retry_delay=Duration(seconds=retry_after)).SerializeToString()
            context.set_trailing_metadata((("google.rpc.retryinfo-bin", info),))
        context.abort(code, "as the test says")

    return answer


def emitted(receiver: Receiver, *arguments: str, **variables: str) -> list[str]:
    """Run a host to its end; return the marks of what it has emitted."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, **variables)
    finished = run(instrumented("host", python("emitter.py", *arguments)), environment)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.split()


def flushed(receiver: Receiver, *options: str) -> subprocess.CompletedProcess[str]:
    """Run `relayscope-instrument --flush` to its end."""
    return subprocess.run(
        [str(SCRIPTS / "relayscope-instrument"), "--flush", *options],
        env=host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_request_is_sent_again_with_the_same_bytes(receiver: Receiver) -> None:
    """After each retryable error the same bytes are sent, until they are taken."""
    codes = [
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.DATA_LOSS,
    ]
    receiver.script = [refusing(code) for code in codes]

    marks = emitted(receiver, "1")

    eventually(lambda: set(receiver.marks()) == set(marks) and receiver.accounts())
    refused, taken = receiver.requests[: len(codes)], receiver.requests[len(codes) :]
    # Among them may be the small record of the account, which shows whether others go.
    with_marks = [request for request in refused if marks_in(*request)]
    assert with_marks.count(refused[0]) > 1
    assert set(with_marks) <= set(taken)
    assert max(receiver.marks().values()) == 1
    assert receiver.accounts()[-1][DELIVERY_DROPPED] == {}


@pytest.mark.parametrize("code", [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED])
def test_the_delay_that_a_collector_asks_for_is_kept(
    receiver: Receiver, code: grpc.StatusCode
) -> None:
    """With RetryInfo the request is repeated after that time; also when resources are exhausted."""
    came: list[float] = []

    def note(context: grpc.ServicerContext) -> bytes:
        came.append(time.monotonic())
        return refusing(code, retry_after=2)(context) if len(came) == 1 else b""

    receiver.script = [note, note]

    emitted(receiver, "1")

    eventually(lambda: len(came) == 2)
    assert came[1] - came[0] >= 2 * 0.8
    assert receiver.requests[0] == receiver.requests[1]


def test_a_steady_trickle_is_sent_at_the_standard_delay(receiver: Receiver) -> None:
    """Each request costs the host's machine something; `OTEL_BLRP_SCHEDULE_DELAY` spaces them."""
    marks = emitted(receiver, "60", "--pause", "0.05", OTEL_BLRP_SCHEDULE_DELAY="1500")

    eventually(lambda: set(receiver.marks()) == set(marks))
    # On a busy machine they take more than 3 s.
    times = [each.time_unix_nano for each in receiver.records() if isinstance(each, LogRecord)]
    delays = (max(times) - min(times)) / 1.5e9
    # Before and after the delays a request, of logs and of spans.
    with_records = [request for request in receiver.requests if records_in(*request)]
    assert len(with_records) <= 2 * (delays + 3)


def test_a_delay_that_is_none_is_named_and_holds_nothing_up(
    receiver: Receiver, spool_dir: Path
) -> None:
    """The default counts instead, and the forwarder's log says which variable is wrong."""
    marks = emitted(receiver, "3", OTEL_BLRP_SCHEDULE_DELAY="soon")

    eventually(lambda: set(receiver.marks()) == set(marks))
    (log,) = spool_dir.rglob("forwarder.log")
    assert "OTEL_BLRP_SCHEDULE_DELAY is 'soon'" in log.read_text()


def test_what_a_collector_rejects_is_counted(receiver: Receiver) -> None:
    """A partial success is no error, is not repeated, and shows in the account."""
    partial = ExportLogsPartialSuccess(rejected_log_records=3, error_message="three are bad")
    answer = ExportLogsServiceResponse(partial_success=partial).SerializeToString()
    receiver.script = [lambda _: answer]

    emitted(receiver, "30", OTEL_TRACES_EXPORTER="none")

    eventually(receiver.has_ended)
    account = receiver.accounts()[-1]
    # A host that stands still after its first record has that alone sent.
    rejected = min(3, len(records_in(*receiver.requests[0])))
    assert account[DELIVERY_DROPPED] == {"rejected": rejected}
    assert account[DELIVERY_ACKNOWLEDGED] == 30 - rejected
    assert len(receiver.requests) == len(set(receiver.requests))


def test_one_poisonous_record_does_not_take_others_along(receiver: Receiver) -> None:
    """A request that is refused for good is halved until the bad record is alone."""
    poison: list[str] = []

    class Picky(Receiver):
        def take(self, signal: str, request: bytes, context: grpc.ServicerContext) -> bytes:
            found = [value(record).get("mark") for record in records_in(signal, request)]
            poison[:] = poison or [mark for mark in found if mark][:1]
            if poison[0] in found:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, "poison")
            return super().take(signal, request, context)

    with receiving(Picky()) as picky:
        marks = emitted(picky, "40")

        eventually(lambda: picky.accounts() and len(picky.marks()) == len(marks) - 1)
    assert set(marks) - set(picky.marks()) == set(poison)
    assert max(picky.marks().values()) == 1
    assert picky.accounts()[-1][DELIVERY_DROPPED] == {"refused": 1}


def test_who_is_not_known_loses_nothing(receiver: Receiver) -> None:
    """Without the right token the records wait, and `--flush` sends them when it is right."""
    receiver.script = [refusing(grpc.StatusCode.UNAUTHENTICATED)] * 1000

    marks = emitted(receiver, "10")
    eventually(lambda: receiver.requests)
    end_forwarders(Path(os.environ[RELAYSCOPE_SPOOL_DIR]))
    receiver.script.clear()
    receiver.requests.clear()
    finished = flushed(receiver)

    assert finished.returncode == 0, finished.stderr
    assert finished.stdout == "host: 12 sent, 0 waiting\n"
    assert receiver.marks().keys() == set(marks)


def test_flush_says_what_still_waits(receiver: Receiver, spool_dir: Path) -> None:
    """Without a collector, `--flush` ends with 1 and the number of what it could not send.

    So many are said to be sent later.
    """
    nobody = Receiver("http://127.0.0.1:1")
    marks = emitted(nobody, "10")
    end_forwarders(spool_dir)

    finished = flushed(nobody)

    assert finished.returncode == 1
    assert finished.stdout.startswith(
        "host: 0 sent, 12 waiting\n  the collector takes nothing since "
    )
    finished = flushed(receiver, "--redirect", "127.0.0.1:1")

    assert finished.stdout.startswith("host: 12 sent, 0 waiting\n")
    assert receiver.marks().keys() == set(marks)


def test_a_forwarder_that_dies_after_the_commit_repeats_the_same_bytes(
    receiver: Receiver, spool_dir: Path
) -> None:
    """Killed before it heard the answer: the next one sends what the collector can recognise."""

    def kill(_: grpc.ServicerContext) -> bytes:
        for pid in forwarders(spool_dir):
            os.kill(pid, SIGKILL)
        return b""

    receiver.script = [kill]

    marks = emitted(receiver, "30", "--pause", "0.1")
    # Where the machine is busy, the first forwarder begins no earlier than its host ends.
    eventually(lambda: receiver.requests)
    marks += emitted(receiver, "1")

    eventually(lambda: set(receiver.marks()) == set(marks))
    assert receiver.requests.count(receiver.requests[0]) == 2
    assert max(receiver.marks().values()) == 1


def test_large_bodies_travel_among_small_ones(receiver: Receiver) -> None:
    """No request is above 4 MiB; a larger body is cut, and tells its size and its digest."""
    small = emitted(receiver, "100")
    large = emitted(receiver, "3", "--bytes", "5000000", RELAYSCOPE_BODY_LIMIT="6000000")

    eventually(lambda: receiver.marks().keys() == {*small, *large})
    assert max(len(request) for _, request in receiver.requests) <= FOUR_MIB
    cut = [
        record
        for record in receiver.records()
        if isinstance(record, LogRecord) and BODY_SIZE in value(record)
    ]
    assert len(cut) == 3
    for record in cut:
        whole = f"payload of {value(record)['mark']} {'x' * 5_000_000}"
        assert whole.startswith(record.body.string_value)
        assert len(record.body.string_value) == 3 * 2**20
        assert value(record)[BODY_SIZE] == len(whole)
        assert value(record)[BODY_SHA256] == sha256(whole.encode()).hexdigest()


def test_a_burst_arrives_whole(receiver: Receiver) -> None:
    """20,000 records as fast as they can be made, of which OpenTelemetry's pipeline loses most."""
    marks = emitted(receiver, "20000")

    eventually(lambda: len(receiver.marks()) == len(marks))
    assert receiver.marks().keys() == set(marks)
    assert max(receiver.marks().values()) == 1


def test_another_exporter_can_still_be_chosen(receiver: Receiver, spool_dir: Path) -> None:
    """`otlp` is OpenTelemetry's own, without a spool and without numbers."""
    marks = emitted(receiver, "10", OTEL_TRACES_EXPORTER="otlp", OTEL_LOGS_EXPORTER="otlp")

    eventually(lambda: receiver.marks().keys() == set(marks))
    assert receiver.numbers() == []
    assert list(spool_dir.iterdir()) == []


def test_a_forwarder_that_has_nothing_to_tell_makes_no_sanitizer() -> None:
    """The host has sanitized the records; the sanitizer is for the forwarder's own log."""
    program = (
        "import sys\n"
        "import relayscope.instrumentation.delivery.__main__\n"
        "import relayscope.instrumentation.delivery.destinations.grpc\n"
        "import relayscope.instrumentation.delivery.destinations.http\n"
        "print([name for name in sys.modules if name.startswith('relayscope.sanitizer')])"
    )

    assert run([sys.executable, "-c", program], host_environment()).stdout == "[]\n"
