"""However a host ends, what it has emitted arrives, once, and its account says so."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relayscope.conventions.attributes import (
    DELIVERY_ACKNOWLEDGED,
    DELIVERY_DROPPED,
    DELIVERY_EMITTED,
    DELIVERY_ENDED,
    DELIVERY_GONE,
    DELIVERY_SPOOLED,
)
from relayscope.instrumentation.delivery.trouble import troubles
from relayscope.spool import list_slots
from tests.fix_delivery import Receiver, end_forwarders, has_forwarder, receiving
from tests.fix_programs import (
    PATIENCE_SECONDS,
    ended,
    eventually,
    free_port,
    host_environment,
    instrumented,
    python,
    run,
)

COMPONENT = "host"


def emitter(*arguments: str) -> list[str]:
    """Return the command of an instrumented emitter."""
    return instrumented(COMPONENT, python("emitter.py", *arguments))


def arrives(receiver: Receiver, marks: list[str]) -> None:
    """Wait until each of these has arrived; fail if one has twice."""
    eventually(lambda: set(marks) <= set(receiver.marks()))
    assert set(receiver.marks()) == set(marks)
    assert max(receiver.marks().values()) == 1


def is_gone(receiver: Receiver) -> bool:
    """Tell whether somebody says that the host is gone without having said so."""
    return any(account.get(DELIVERY_GONE) for account in receiver.accounts())


@pytest.mark.parametrize("durability", ["process", "window"])
@pytest.mark.parametrize(("then", "code"), [("exit", 0), ("raise", 1)])
def test_an_ordinary_end_loses_nothing(
    receiver: Receiver, then: str, code: int, durability: str
) -> None:
    """Exit and unhandled exception: everything arrives, and the account is closed and complete."""
    environment = host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, RELAYSCOPE_SPOOL_DURABILITY=durability
    )

    finished = run(emitter("50", "--then", then), environment)

    assert finished.returncode == code
    marks = finished.stdout.split()
    assert len(marks) == 55
    arrives(receiver, marks)
    eventually(receiver.has_ended)
    assert receiver.accounts()[-1] == {
        DELIVERY_EMITTED: 55,
        DELIVERY_SPOOLED: 55,
        DELIVERY_ACKNOWLEDGED: 55,
        DELIVERY_DROPPED: {},
        DELIVERY_ENDED: True,
    }


@contextmanager
def waiting(receiver: Receiver) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """Run a host that has emitted all that it will and waits; yield it, and its marks."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    with (
        subprocess.Popen(
            emitter("50", "--then", "wait"), env=environment, stdout=subprocess.PIPE, text=True
        ) as host,
        ended(host),
    ):
        assert host.stdout is not None
        yield host, [host.stdout.readline().strip() for _ in range(55)]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_loses_nothing(receiver: Receiver, number: signal.Signals) -> None:
    """Killed right after the last record: everything arrives, and that it is gone."""
    with waiting(receiver) as (host, marks):
        host.send_signal(number)
        assert host.wait(PATIENCE_SECONDS) == -number

    arrives(receiver, marks)
    eventually(lambda: is_gone(receiver))
    assert not receiver.has_ended()


def test_a_signal_is_told_where_nothing_else_waits(receiver: Receiver, spool_dir: Path) -> None:
    """All that it said has arrived; its forwarder says that it is gone, and leaves nothing."""
    with waiting(receiver) as (host, marks):
        arrives(receiver, marks)
        assert not is_gone(receiver)
        host.terminate()
        host.wait(PATIENCE_SECONDS)

    eventually(lambda: is_gone(receiver))
    eventually(lambda: not list_slots(spool_dir / COMPONENT))
    assert sum(account.get(DELIVERY_GONE, False) for account in receiver.accounts()) == 1


def test_a_server_that_ends_itself_by_a_signal_closes_its_account(receiver: Receiver) -> None:
    """It drains and sends itself the signal again, so that no exit handler runs."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    with (
        subprocess.Popen(
            emitter("10", "--then", "serve"), env=environment, stdout=subprocess.PIPE, text=True
        ) as host,
        ended(host),
    ):
        assert host.stdout is not None
        while host.stdout.readline().strip() != "waiting":
            pass
        host.send_signal(signal.SIGTERM)
        assert host.wait(PATIENCE_SECONDS) == -signal.SIGTERM

    eventually(receiver.has_ended)
    assert receiver.accounts()[-1][DELIVERY_EMITTED] == 11


def test_what_could_not_be_sent_waits_for_the_next_process(spool_dir: Path) -> None:
    """No collector, and nobody is left: the next process of the component brings it along."""
    port = free_port()
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    first = run(emitter("20"), environment).stdout.split()
    # While one is being started, nobody starts another.
    eventually(lambda: has_forwarder(spool_dir))
    end_forwarders(spool_dir)

    with receiving(Receiver(), port=port) as receiver:
        second = run(emitter("10"), environment).stdout.split()

        arrives(receiver, first + second)
        eventually(lambda: len(receiver.accounts()) == 2)
    emitted = [account[DELIVERY_EMITTED] for account in receiver.accounts()]
    assert sorted(emitted) == [11, 22]


def test_the_numbers_of_a_process_have_no_gap(receiver: Receiver) -> None:
    """Spans and log records are numbered together, from 1."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)

    run(emitter("100"), environment)

    eventually(lambda: sorted(receiver.numbers()) == list(range(1, 111)))
    eventually(receiver.has_ended)
    assert sorted(receiver.numbers()) == list(range(1, 111))


def test_the_spools_are_private_to_their_user(spool_dir: Path) -> None:
    """Neither group nor others can read a file or list a folder."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")
    old = os.umask(0)
    try:
        run(emitter("5"), environment)
    finally:
        os.umask(old)

    eventually(lambda: troubles(spool_dir / COMPONENT))
    end_forwarders(spool_dir)
    found = list(spool_dir.rglob("*"))
    assert len(found) > 5
    assert [path for path in found if path.stat().st_mode & 0o077] == []


def test_a_delivered_spool_is_deleted(receiver: Receiver, spool_dir: Path) -> None:
    """After the process has ended and everything is delivered, no record stays on the disk."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)

    run(emitter("5"), environment)

    eventually(receiver.accounts)
    eventually(lambda: [path for path in (spool_dir / COMPONENT).iterdir() if path.is_dir()] == [])


def test_the_host_has_no_child_process_and_no_thread_of_ours(receiver: Receiver) -> None:
    """A host that waits for its children, or counts its threads, finds only its own."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    program = """
import os, threading, time
while threading.active_count() > 1:
    time.sleep(0.02)
try:
    print(os.waitpid(-1, os.WNOHANG))
except ChildProcessError:
    print("no child", threading.active_count())
"""
    finished = run(instrumented(COMPONENT, [sys.executable, "-c", program]), environment)

    assert finished.stdout == "no child 1\n"
