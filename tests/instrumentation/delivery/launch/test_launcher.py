"""The forwarder runs with less priority than its host, and what ends the host does not end it."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from opentelemetry.instrumentation import auto_instrumentation

from relayscope.spool import list_slots
from tests.fix_delivery import Receiver, forwarders, receiving
from tests.fix_programs import (
    PATIENCE_SECONDS,
    ended,
    eventually,
    free_port,
    host_environment,
    instrumented,
    python,
)

WAITING = instrumented("host", python("emitter.py", "1", "--then", "wait"))
NOBODY = "http://127.0.0.1:1"
"""Nobody listens here, so records wait, and keep a forwarder running after its host."""


def test_the_host_comes_before_its_forwarder(receiver: Receiver, spool_dir: Path) -> None:
    """Linux shares processors among sessions first, so its niceness counts only in the host's."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    with (
        subprocess.Popen(WAITING, env=environment, stdout=subprocess.DEVNULL, text=True) as host,
        ended(host),
    ):
        eventually(receiver.records)
        eventually(lambda: len(forwarders(spool_dir)) == 1)
        (forwarder,) = forwarders(spool_dir)

        assert os.getsid(forwarder) == os.getsid(host.pid)
        assert nice(forwarder) == min(nice(host.pid) + 5, 19)


def test_many_processes_at_a_time_start_few_forwarders(spool_dir: Path) -> None:
    """Each of them finds none running yet, and one is enough."""
    crowd = python("emitter.py", "1", "--then", "crowd", "--children", "40")
    seen: set[int] = set()
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=NOBODY)
    with subprocess.Popen(
        instrumented("host", crowd), env=environment, stdout=subprocess.DEVNULL
    ) as host:
        while host.poll() is None:
            seen.update(forwarders(spool_dir))
    seen.update(forwarders(spool_dir))

    assert len(list_slots(spool_dir / "host")) == 41
    assert 1 <= len(seen) <= 10


def test_a_forwarder_whose_folder_was_deleted_ends(spool_dir: Path) -> None:
    """Its host has ended, too, which the folder can no longer say."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=NOBODY)
    with (
        subprocess.Popen(WAITING, env=environment, stdout=subprocess.DEVNULL, text=True) as host,
        ended(host),
    ):
        eventually(lambda: len(forwarders(spool_dir)) == 1)
        (forwarder,) = forwarders(spool_dir)
        # It has taken the spool, and waits for whom it belongs to.
        eventually(lambda: list(spool_dir.glob("host/*/outbox*")))
        # Both still write there.
        while (spool_dir / "host").exists():
            shutil.rmtree(spool_dir / "host", ignore_errors=True)
        host.kill()
    eventually(lambda: forwarder not in forwarders(spool_dir))


@pytest.mark.parametrize("way", ["ctrl-c", "hangup"])
def test_a_terminal_ends_the_host_alone(way: str, spool_dir: Path) -> None:
    """Neither Ctrl-C nor closing the window reaches the forwarder, which still has work to do."""
    terminal, inside = os.openpty()
    # A session's leader takes the first terminal that it opens for its own. What runs the tests
    # may ignore these signals, as nohup does.
    command = [
        *("env", "--default-signal=HUP,INT"),
        *("/bin/sh", "-c", 'exec "$@" < "$0" > "$0"', os.ttyname(inside)),
        *WAITING,
    ]
    port = free_port()
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")
    with (
        os.fdopen(terminal, "rb+", buffering=0) as keys,
        subprocess.Popen(
            command, env=environment, start_new_session=True, stderr=subprocess.DEVNULL, text=True
        ) as host,
        ended(host),
    ):
        eventually(lambda: has_tried_to_send(spool_dir))
        eventually(lambda: len(forwarders(spool_dir)) == 1)
        (forwarder,) = forwarders(spool_dir)
        os.close(inside)

        if way == "ctrl-c":
            keys.write(b"\x03")
        else:
            keys.close()

        host.wait(PATIENCE_SECONDS)
        assert forwarders(spool_dir) == [forwarder]
        # A signal may end a process a little later than another; one that still sends has survived.
        with receiving(Receiver(), port=port) as receiver:
            eventually(receiver.records)


def test_a_forwarder_instruments_itself_in_no_environment(
    receiver: Receiver, spool_dir: Path, tmp_path: Path
) -> None:
    """Started from one environment with relayscope, run in another: its forwarder emits nothing."""
    other = tmp_path / "opentelemetry" / "instrumentation" / "auto_instrumentation"
    other.mkdir(parents=True)
    shutil.copy(Path(auto_instrumentation.__file__).with_name("sitecustomize.py"), other)
    environment = host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint,
        OTEL_SERVICE_NAME="host",
        OTEL_PYTHON_DISTRO="relayscope",
        OTEL_PYTHON_CONFIGURATOR="relayscope",
        PYTHONPATH=str(other),
    )
    with (
        subprocess.Popen(
            python("emitter.py", "1", "--then", "wait"),
            env=environment,
            stdout=subprocess.DEVNULL,
            text=True,
        ) as host,
        ended(host),
    ):
        eventually(receiver.records)
        assert len(list_slots(spool_dir / "host")) == 1

    eventually(lambda: not forwarders(spool_dir))
    assert len(receiver.by_process()) == 1


def has_tried_to_send(spool_dir: Path) -> bool:
    """Tell whether a forwarder has found nobody who receives."""
    return any("records wait" in log.read_text() for log in spool_dir.rglob("forwarder.log"))


def nice(pid: int) -> int:
    """The niceness of a process."""
    return os.getpriority(os.PRIO_PROCESS, pid)
