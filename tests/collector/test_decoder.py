"""R26, R27: nobody waits behind a giant, and nothing is decoded twice."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from relayscope.collector.errors import Overloaded, RequestRefused, TooLarge, TooSlow
from relayscope.collector.ingest.commit_group import CommitGroup
from relayscope.collector.ingest.decode import parse
from relayscope.collector.ingest.decoder import (
    Decoder,
    DecodingEnded,
    DecodingProcess,
    DecodingThread,
    Job,
    open_requests,
)
from relayscope.collector.ingest.inflight_limit import InflightLimit
from relayscope.collector.ingest.pipeline import LARGE, Lane, Pipeline
from relayscope.collector.internal_telemetry.collector_metrics import CollectorMetrics
from relayscope.collector.internal_telemetry.component_class import ComponentClasses
from relayscope.collector.receive.access import Access
from relayscope.collector.receive.admission import Admission, Caller, Received
from relayscope.collector.receive.refusal_log import RefusalLog
from relayscope.collector.receive.status import Refusal
from relayscope.collector.signals import LOGS
from relayscope.sanitizer import Rules, Sanitizer
from relayscope.storage import StorageUnavailable, WriteOutcome
from tests.bench.text_kinds import KINDS
from tests.fix_collector import PATIENCE, StartCollector
from tests.fix_programs import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from typing import Any

    from relayscope.collector.ingest.decoder.open_requests import Slice
    from relayscope.collector.ingest.inflight_limit import Reservation
    from relayscope.storage import Batch

pytestmark = pytest.mark.processes

SMALL_BODY = "hello"
LARGE_BODY = "x" * LARGE


def job(*bodies: str) -> Job:
    """A request with these log records."""
    request = ExportLogsServiceRequest()
    records = request.resource_logs.add().scope_logs.add().log_records
    for body in bodies:
        records.add().body.string_value = body
    return Job(LOGS, request.SerializeToString(), parse)


def giant(records: int = 24) -> Job:
    """A request that takes a while: laborious texts of 128 KiB."""
    chance = Random(1)
    kind = KINDS["percent-encoded"]
    return job(*(kind.text(chance, 2**17, secret=True) for _ in range(records)))


class Counting:
    """A thread that decodes, counts the requests that it begins, and can be made to wait."""

    def __init__(self) -> None:
        self.begun = 0
        self.may_go_on = asyncio.Event()
        self.may_go_on.set()
        self._thread = DecodingThread(Sanitizer.default())

    async def go_on(self, key: int, job: Job | None, seconds: float) -> Slice:
        """Go on in the thread, when it may."""
        self.begun += job is not None
        await self.may_go_on.wait()
        return await self._thread.go_on(key, job, seconds)

    async def close(self) -> None:
        """End the thread."""
        await self._thread.close()


class Scene:
    """A pipeline that decodes for real and writes as it is told."""

    def __init__(
        self,
        write: Callable[[Sequence[Batch]], list[WriteOutcome]],
        answer_timeout: float = PATIENCE,
    ) -> None:
        self.inflight_limit = InflightLimit(2**24)
        self.small, self.large = Counting(), Counting()
        self.asked: list[bytes] = []
        self.stored: set[bytes] = set()
        self.metrics = CollectorMetrics(ComponentClasses({}))
        self.pipeline = Pipeline(
            Lane(Decoder(self.small), CommitGroup(write, lambda *_: None)),
            Lane(Decoder(self.large), CommitGroup(write, lambda *_: None)),
            self.is_stored,
            self.metrics,
            answer_timeout,
        )

    async def is_stored(self, digest: bytes) -> bool:
        """Answer as the database would."""
        self.asked.append(digest)
        return digest in self.stored

    async def send(self, sent: Job) -> None:
        """Send a request and hear OK."""
        reservation = await self.inflight_limit.reserve(len(sent.raw))
        await self.pipeline.accept("sender", sent, reservation)


async def is_taken(scene: Scene, sent: Job) -> bool:
    """Send a request, and tell whether it is answered with OK in time."""
    try:
        await scene.send(sent)
    except TooSlow:
        return False
    return True


def running(work: Coroutine[Any, Any, None]) -> None:
    """Run in a loop of its own, for a bounded time."""
    asyncio.run(asyncio.wait_for(work, PATIENCE))


def write(batches: Sequence[Batch]) -> list[WriteOutcome]:
    """Store nothing, successfully."""
    return [WriteOutcome()] * len(batches)


@pytest.mark.parametrize("body", [SMALL_BODY, LARGE_BODY])
def test_a_repeated_request_is_decoded_once(body: str) -> None:
    """R27: whether its first copy is under way or answered, and no room is held for it."""

    async def scenario() -> None:
        scene = Scene(write)
        await asyncio.gather(*(scene.send(job(body)) for _ in range(3)))
        await scene.send(job(body))
        assert scene.small.begun + scene.large.begun == 1
        await scene.send(job(body + "other"))
        assert scene.small.begun + scene.large.begun == 2
        assert scene.inflight_limit.taken == 0
        await scene.pipeline.drain()

    running(scenario())


def test_what_outlasts_its_answer_is_kept_for_the_retry() -> None:
    """R27: the client hears the true reason; what was begun goes on, and the retry gets its OK."""

    async def scenario() -> None:
        scene = Scene(write, answer_timeout=0.01)
        scene.large.may_go_on.clear()
        for _ in range(3):
            with pytest.raises(TooSlow, match="still being sanitized"):
                await scene.send(job(LARGE_BODY))
        scene.large.may_go_on.set()
        while not await is_taken(scene, job(LARGE_BODY)):
            pass  # storing it may outlast an answer, too
        assert scene.large.begun == 1
        await scene.pipeline.drain()

    running(scenario())


def test_a_large_request_that_the_database_knows_is_not_decoded() -> None:
    """R27: also after a restart, or where another worker has stored it."""

    async def scenario() -> None:
        scene = Scene(write)
        await scene.send(job(LARGE_BODY))
        other = Scene(write)
        other.stored.update(scene.asked)
        await other.send(job(LARGE_BODY))
        assert (scene.large.begun, other.large.begun) == (1, 0)
        await scene.pipeline.drain()
        await other.pipeline.drain()

    running(scenario())


def test_a_refusal_names_its_cause() -> None:
    """R26: a slow database, a full spool and a decoder at work are told apart."""
    may_write = threading.Event()

    def slow(batches: Sequence[Batch]) -> list[WriteOutcome]:
        may_write.wait(PATIENCE)
        return [WriteOutcome()] * len(batches)

    def full(_: Sequence[Batch]) -> list[WriteOutcome]:
        raise StorageUnavailable("the database is away, and the outage spool is full")

    async def scenario() -> None:
        scene = Scene(slow, answer_timeout=1)  # It is decoded before, on any machine.
        with pytest.raises(TooSlow, match="the database is slow"):
            await scene.send(job(SMALL_BODY))
        may_write.set()
        await scene.pipeline.drain()
        scene = Scene(full)
        with pytest.raises(RequestRefused, match="the outage spool is full"):
            await scene.send(job(SMALL_BODY))
        await scene.pipeline.drain()

    running(scenario())


@pytest.mark.parametrize("neighbours", [job("x" * LARGE), giant(1)], ids=["quick", "laborious"])
def test_a_neighbour_is_answered_before_the_giant(neighbours: Job) -> None:
    """R26: though the giant came first, and is decoded in the same place."""

    async def scenario() -> None:
        process = DecodingProcess(Rules.default())
        decoder = Decoder(process)
        order: list[str] = []

        async def send(sender: str, sent: Job) -> None:
            async with decoder.decoded(sender, sent) as rows:
                assert rows.batch.logs
                order.append(sender)

        await asyncio.gather(
            send("giant", giant()), send("giant", giant(20)), send("neighbour", neighbours)
        )
        assert order[0] == "neighbour"
        await decoder.close()

    running(scenario())


def _is_kept(raw: bytes) -> bool:
    return any(type(each) is Job and each.raw == raw for each in gc.get_objects())


def test_a_refused_request_is_kept_by_nobody() -> None:
    """R12: not until cycles are looked for either, or refusals would fill the memory."""

    class Refusing(Counting):
        async def go_on(self, key: int, job: Job | None, seconds: float) -> Slice:
            await super().go_on(key, job, seconds)
            raise TooSlow("others had the time")

    async def scenario() -> None:
        scene = Scene(write)
        lane = Lane(Decoder(Refusing()), CommitGroup(write, lambda *_: None))
        pipeline = Pipeline(
            lane,
            lane,
            scene.is_stored,
            scene.metrics,
            PATIENCE,
        )
        admission = Admission(
            Access(()), scene.inflight_limit, pipeline, scene.metrics, RefusalLog()
        )

        async def receive(_: Reservation) -> Received:
            return Received(raw, parse)

        raw = LARGE_BODY.encode()
        caller = Caller("grpc", "here", "here:1", None)
        gc.disable()
        answers = await asyncio.gather(*(admission.take(LOGS, caller, 1, receive) for _ in "ab"))
        assert [type(answer) for answer in answers] == [Refusal, Refusal]
        # A thread that has handed its work over lets go of it a moment later.
        await asyncio.to_thread(eventually, lambda: not _is_kept(raw))

    gc.collect()
    try:
        running(scenario())
    finally:
        gc.enable()


def test_what_takes_too_long_is_refused_unless_it_is_one_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """R26: it may be halved; refused for good, it does not come again as it was."""
    begun = open_requests.OpenRequests(Sanitizer.default())
    assert begun.go_on(1, giant(2)._replace(until=1e9), 0).rows is None
    assert begun.go_on(2, giant(1)._replace(until=1e9), 0).rows is None
    monkeypatch.setattr(open_requests, "monotonic", lambda: 2e9)
    monkeypatch.setattr(open_requests, "MOST_SECONDS", 0.0)
    with pytest.raises(TooLarge, match="send fewer records"):
        begun.go_on(1, None, PATIENCE)
    rows = begun.go_on(2, None, PATIENCE).rows
    assert rows is not None
    assert len(rows.batch.logs) == 1


def test_large_requests_leave_room_for_small_ones() -> None:
    """R26: they wait in their senders, while what is small is let in."""

    async def scenario() -> None:
        room = InflightLimit(10 * 2**20, kept_for_small=2**20)
        held = []
        for _ in range(9):
            reservation = await room.reserve(2**20)
            reservation.settle_at(2**20)
            held.append(reservation)
        last = await room.reserve(2**20)
        with pytest.raises(Overloaded):
            last.settle_at(2**20)
        last.release()
        small = await room.reserve(2**20)
        small.settle_at(100)
        for reservation in (*held, small):
            reservation.release()
        assert (room.taken, room.large) == (0, 0)

    running(scenario())


def test_a_decoding_process_that_dies_is_replaced() -> None:
    """R26: its requests are refused for now, and the next are decoded."""

    async def scenario() -> None:
        process = DecodingProcess(Rules.default())
        decoder = Decoder(process)

        async def send(sent: Job) -> int:
            async with decoder.decoded("sender", sent) as rows:
                return len(rows.batch.logs)

        assert await send(job(LARGE_BODY)) == 1
        under_way = asyncio.create_task(send(giant()))
        await asyncio.sleep(0)
        (child,) = children(os.getpid())
        os.kill(child, signal.SIGKILL)
        with pytest.raises(DecodingEnded):
            await under_way
        assert await send(job(LARGE_BODY)) == 1
        await decoder.close()
        assert children(os.getpid()) == []

    running(scenario())


def test_the_decoding_process_comes_with_a_large_request_and_ends_with_its_collector(
    start_collector: StartCollector,
) -> None:
    """R26: a small request needs none; and it ends also when the collector is killed."""
    collector = start_collector()
    assert collector.post("logs", job("small").raw).status == 200
    assert children(collector.process.pid) == []
    assert collector.post("logs", job(LARGE_BODY).raw).status == 200
    found = children(collector.process.pid)
    assert found
    collector.kill()
    eventually(lambda: not any(is_decoding(pid) for pid in found))


def children(parent: int) -> list[int]:
    """The decoding processes of a process."""
    return [
        int(pid)
        for task in Path(f"/proc/{parent}/task").iterdir()
        for pid in (task / "children").read_text().split()
        if is_decoding(int(pid))
    ]


def is_decoding(pid: int) -> bool:
    """Return whether a process is a decoder."""
    try:
        return b"relayscope.collector.ingest.decoder" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
