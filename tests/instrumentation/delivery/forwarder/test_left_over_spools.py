"""Left-over spools are delivered, however many they are, and only where they belong."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from relayscope.instrumentation.delivery.forwarder import slots
from relayscope.instrumentation.delivery.launch.launcher import LOG_NAME
from relayscope.spool import Spool, has_ended, list_slots
from tests.fix_delivery import Receiver, end_forwarders, forwarders, receiving
from tests.fix_programs import (
    SCRIPTS,
    Run,
    eventually,
    free_port,
    host_environment,
    instrumented,
    python,
    run,
)

CROWD = 200
FEW_FILES = 64
"""Open files that a process may have: fewer than half of the spools that are left."""

MOST_BYTES = 100 * 2**20
"""Of a forwarder's memory."""


def variables(port: int) -> dict[str, str]:
    """Return the environment of programs that send to a port."""
    return host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{port}")


def leave_behind(children: int, port: int, spool_dir: Path) -> list[str]:
    """Let many processes end while nobody listens; return the marks of what they emitted."""
    crowd = python("emitter.py", "1", "--then", "crowd", "--children", str(children))
    finished = run(instrumented("host", crowd), variables(port))
    assert finished.returncode == 0, finished.stderr
    end_forwarders(spool_dir)
    assert len(list_slots(spool_dir / "host")) == children + 1
    return finished.stdout.split()


def asked(port: int, *options: str) -> Run:
    """Run relayscope-instrument with options alone."""
    return run([str(SCRIPTS / "relayscope-instrument"), *options], variables(port))


def with_few_files(command: list[str]) -> list[str]:
    """Return what runs a command with few open files."""
    return ["/bin/sh", "-c", f'ulimit -n {FEW_FILES}; exec "$@"', "sh", *command]


def forwarder(spool_dir: Path) -> Path:
    """Wait for the one forwarder; return what the system says of it."""
    found: list[int] = []

    def has_come_to_run() -> bool:
        # What starts it has the same command line for a moment; it alone notes itself in its lock.
        noted = {lock.read_text().strip() for lock in spool_dir.rglob("forwarder-*.lock")}
        found[:] = [pid for pid in forwarders(spool_dir) if str(pid) in noted]
        return len(found) == 1

    eventually(has_come_to_run)
    return Path("/proc") / str(found[0])


def most_memory(process: Path) -> int:
    """The bytes that a process has had at most."""
    for line in (process / "status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return 0


def test_more_spools_than_open_files_are_delivered_by_one_forwarder(spool_dir: Path) -> None:
    """A few at a time, in little memory; the folders go."""
    port = free_port()
    marks = leave_behind(CROWD, port, spool_dir)
    host = instrumented("host", python("emitter.py", "1", "--then", "wait"))

    with receiving(Receiver(), port=port) as receiver:
        # Starting a program takes files, too: the limit is the forwarder's.
        process = subprocess.Popen(
            with_few_files(host), env=variables(port), stdout=subprocess.DEVNULL
        )
        try:
            running = forwarder(spool_dir)
            eventually(lambda: receiver.marks().keys() >= set(marks))
            eventually(lambda: len(list_slots(spool_dir / "host")) == 1)
            assert most_memory(running) < MOST_BYTES
        finally:
            process.kill()
            process.wait()
    assert max(receiver.marks().values()) == 1
    assert "Too many open files" not in (spool_dir / "host" / LOG_NAME).read_text()


def test_flush_delivers_more_spools_than_open_files(spool_dir: Path) -> None:
    """As a forwarder does."""
    port = free_port()
    marks = leave_behind(CROWD, port, spool_dir)

    flush = with_few_files([str(SCRIPTS / "relayscope-instrument"), "--flush"])
    with receiving(Receiver(), port=port) as receiver:
        finished = run(flush, variables(port))

    assert finished.returncode == 0, finished.stdout + finished.stderr
    assert receiver.marks().keys() == set(marks)
    assert max(receiver.marks().values()) == 1
    assert list_slots(spool_dir / "host") == []


def test_spools_that_wait_are_not_looked_at_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While nothing changes in their folder, however often the collector is tried."""
    asked_for: list[Path] = []

    def counting(folder: Path) -> bool:
        asked_for.append(folder)
        return has_ended(folder)

    monkeypatch.setattr(slots, "has_ended", counting)
    for _ in range(3):
        with Spool.create(tmp_path) as spool:
            spool.append(b"waits")
    os.utime(tmp_path, (1, 1))
    known = slots.Slots(tmp_path)
    ended = known.look()
    assert ended == list_slots(tmp_path) == sorted(asked_for)

    monkeypatch.setattr(slots, "list_slots", None)  # Whoever calls it fails.
    for _ in range(3):
        time.sleep(slots.LOOK_SECONDS)
        assert known.look() == []

    assert sorted(asked_for) == ended


def test_a_spool_that_comes_later_is_found(tmp_path: Path) -> None:
    """Also one that comes within the same tick of the file system's clock."""
    with Spool.create(tmp_path):
        known = slots.Slots(tmp_path)
        known.look()
        assert len(known.living) == 1
        changed = tmp_path.stat()
        with Spool.create(tmp_path):
            os.utime(tmp_path, ns=(changed.st_atime_ns, changed.st_mtime_ns))

            def found() -> bool:
                known.look()
                return len(known.living) == 2

            eventually(found)


def test_empty_folders_of_ended_processes_go_although_the_collector_is_away(
    spool_dir: Path,
) -> None:
    """Behind any number of spools that wait."""
    port = free_port()
    leave_behind(20, port, spool_dir)
    waiting = list_slots(spool_dir / "host")
    for number in range(30):
        (spool_dir / "host" / f"{2**63 + number:020d}-1-{number:08x}").mkdir(mode=0o700)

    asked(port, "--flush")

    assert list_slots(spool_dir / "host") == waiting


def test_what_was_kept_for_one_collector_is_not_sent_to_another(spool_dir: Path) -> None:
    """Neither by --flush nor by a forwarder that finds it; both say so, and it can be had."""
    first = free_port()
    marks = leave_behind(3, first, spool_dir)

    with receiving(Receiver()) as other:
        port = int(other.endpoint.rpartition(":")[2])
        for option in ("--status", "--flush"):
            assert f"9 kept for 127.0.0.1:{first}, and not sent to" in asked(port, option).stdout
        fresh = run(instrumented("host", python("emitter.py", "1")), variables(port)).stdout.split()
        eventually(lambda: other.marks().keys() >= set(fresh))
        eventually(lambda: forwarders(spool_dir) == [])
        assert other.marks().keys() == set(fresh)

        finished = asked(port, "--flush", "--redirect", f"127.0.0.1:{first}")

    assert finished.stdout == (
        f"host: 9 sent, 0 waiting\n"
        f"  9 that were kept for 127.0.0.1:{first} went to 127.0.0.1:{port}\n"
    )
    assert other.marks().keys() == {*marks, *fresh}


def test_a_token_that_was_put_right_leads_to_the_same_collector(spool_dir: Path) -> None:
    """So do other certificates, timeouts and user names: what counts is the address."""
    port = free_port()
    marks = leave_behind(2, port, spool_dir)

    with receiving(Receiver(), port=port) as receiver:
        environment = variables(port) | {
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20another",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "5",
        }
        run([str(SCRIPTS / "relayscope-instrument"), "--flush"], environment)

    assert receiver.marks().keys() == set(marks)


def test_a_spool_that_names_no_collector_goes_to_any(spool_dir: Path) -> None:
    """Its name may be damaged; the records are whole."""
    marks = leave_behind(1, free_port(), spool_dir)
    for folder in list_slots(spool_dir / "host"):
        (folder / "about").unlink()

    with receiving(Receiver()) as receiver:
        asked(int(receiver.endpoint.rpartition(":")[2]), "--flush")

    assert receiver.marks().keys() == set(marks)


def test_a_spool_that_is_in_use_holds_up_no_other(spool_dir: Path) -> None:
    """One that cannot be opened is passed over, and tried again."""
    port = free_port()
    leave_behind(10, port, spool_dir)
    damaged = list_slots(spool_dir / "host")[0]
    (damaged / "cursor").unlink()
    (damaged / "cursor").mkdir()

    with receiving(Receiver(), port=port) as receiver:
        asked(port, "--flush")
        assert len(receiver.marks()) == 20
        shutil.rmtree(damaged / "cursor")
        asked(port, "--flush")

    assert len(receiver.marks()) == 22
