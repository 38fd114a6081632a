"""A forwarder of this version meets what hosts and forwarders of a later one have left."""

import subprocess
from pathlib import Path
from typing import Any

import msgpack
import pytest

from relayscope.instrumentation.delivery.encoding.fields import ACCOUNT, AccountFields, unpack
from relayscope.instrumentation.delivery.encoding.otlp import Request, Signal
from relayscope.instrumentation.delivery.encoding.record import pack_account
from relayscope.instrumentation.delivery.forwarder.delivery_totals import DeliveryTotals
from relayscope.instrumentation.delivery.forwarder.outbox import Consignment, Outbox
from relayscope.instrumentation.delivery.forwarder.set_aside import Part, SetAsideRequest
from relayscope.instrumentation.delivery.launch.launcher import LOG_NAME
from relayscope.spool import KEPT, Position, list_slots
from tests.fix_delivery import Receiver, end_forwarders, forwarders, receiving
from tests.fix_programs import (
    SCRIPTS,
    Run,
    ended,
    eventually,
    free_port,
    host_environment,
    instrumented,
    python,
    run,
)

REQUEST = Request(Signal.LOGS, 3, b"body")


def save_otherwise(folder: Path, kept: object) -> None:
    """Save what is whole, and of another version, as what is being sent."""
    with pytest.MonkeyPatch.context() as patch:
        packed = msgpack.packb(kept)
        patch.setattr(msgpack, "packb", lambda _: packed)
        Outbox(folder).save(Consignment(Position(9, 9), DeliveryTotals()))


def leave_one_behind(port: int, spool_dir: Path) -> list[str]:
    """Let a process end while nobody listens; return the marks of what it emitted."""
    marks = emit(port)
    end_forwarders(spool_dir)
    return marks


def emit(port: int) -> list[str]:
    """Run a process to its end; return the marks of what it emitted."""
    finished = run(instrumented("host", python("emitter.py", "3")), variables(port))
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.split()


def flush(port: int) -> Run:
    """Send what is left."""
    return run([str(SCRIPTS / "relayscope-instrument"), "--flush"], variables(port))


def variables(port: int) -> dict[str, str]:
    """Return the environment of programs that send to a port."""
    return host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")


def test_fields_that_a_later_host_appends_are_left_out() -> None:
    """The record is sent without them, and not dropped as one that cannot be read."""
    record = pack_account(5, {"full": 2}, ended=True)
    later = msgpack.packb([*msgpack.unpackb(record), "a field of later"])

    assert unpack(later) == AccountFields(ACCOUNT, 0, 5, {"full": 2}, ended=True)


def test_what_a_later_forwarder_has_begun_to_send_is_sent(tmp_path: Path) -> None:
    """With more in the outbox, its requests and its totals than this version knows."""
    totals = DeliveryTotals(emitted=3, acknowledged=1, ended=True)
    requests = [(*(Signal.LOGS.value, *REQUEST[1:]), "later")]
    save_otherwise(tmp_path, ((1, 2), (*totals.pack(), "later"), requests, True, 4, "later"))

    assert Outbox(tmp_path).load() == Consignment(Position(1, 2), totals, [REQUEST], True, 4)


def test_what_a_later_forwarder_has_set_aside_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With more said of it than this version knows."""
    pack = msgpack.packb

    def pack_more(parts: list[tuple[Any, ...]]) -> bytes:
        packed: bytes = pack([(*part, "later") for part in parts])
        return packed

    aside = SetAsideRequest(tmp_path / f"{KEPT}1")
    monkeypatch.setattr(msgpack, "packb", pack_more)
    aside.keep([Part(REQUEST, 1, 2.0, 3.0)])

    assert aside.load() == [Part(REQUEST, 1, 2.0, 3.0)]


def test_what_only_another_version_can_go_on_with_waits_for_it(spool_dir: Path) -> None:
    """It holds up no other spool, none of it is lost, and it is said whose it is."""
    port = free_port()
    others = leave_one_behind(port, spool_dir)
    (folder,) = list_slots(spool_dir / "host")
    for file in folder.glob("outbox*"):
        file.unlink()
    save_otherwise(folder, {"of": "another version"})
    ours = leave_one_behind(port, spool_dir)

    with receiving(Receiver(), port=port) as receiver:
        said = flush(port)
        assert receiver.marks().keys() == set(ours)
        assert "another version of relayscope has begun to send it" in said.stderr
        assert "Traceback" not in said.stderr
        for file in folder.glob("outbox*"):
            file.unlink()
        flush(port)

    assert receiver.marks().keys() == {*ours, *others}


def test_a_living_process_whose_spool_another_version_sends_holds_up_no_other(
    spool_dir: Path,
) -> None:
    """The forwarder goes on with the others, and says in its log which one it leaves alone."""
    port = free_port()
    waiting = instrumented("host", python("emitter.py", "3", "--then", "wait"))
    with (
        subprocess.Popen(
            waiting,
            env=variables(port),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process,
        ended(process),
    ):
        eventually(lambda: forwarders(spool_dir))
        eventually(lambda: any((spool_dir / "host").glob("*/outbox*")))
        end_forwarders(spool_dir)
        (folder,) = list_slots(spool_dir / "host")
        for file in folder.glob("outbox*"):
            file.unlink()
        save_otherwise(folder, {"of": "another version"})
        with receiving(Receiver(), port=port) as receiver:
            marks = emit(port)
            eventually(lambda: receiver.marks().keys() >= set(marks))
        eventually(lambda: f"{folder} is left alone" in (folder.parent / LOG_NAME).read_text())
