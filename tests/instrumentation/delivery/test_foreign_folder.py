"""A folder of spools that somebody else made, or has put something into: the host is not harmed."""

import os
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from relayscope.conventions.environment import RELAYSCOPE_SPOOL_DIR
from tests.fix_delivery import SPOOL_DIR, Receiver, end_forwarders
from tests.fix_programs import eventually, host_environment, instrumented, python, run

COMPONENT = "host"
STRANGER = 54321
"""A user's number that nobody has: who can log in as root can be anybody."""

EMITTER = instrumented(COMPONENT, python("emitter.py", "5"))
MARKS = 6


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that everybody can write to, with the folder of a victim beside it."""
    with tempfile.TemporaryDirectory(prefix="shared-") as name:
        folder = Path(name)
        folder.chmod(0o1777)
        yield folder
        end_forwarders(folder)


def somebody(script: str, folder: Path) -> None:
    """Let a shell script run in a folder, as another user if that can be had."""
    user = STRANGER if os.geteuid() == 0 else None
    extra: list[int] | None = [] if user is not None else None
    subprocess.run(
        ["/bin/sh", "-ec", script],
        cwd=folder,
        user=user,
        group=user,
        extra_groups=extra,
        check=True,
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("mkdir -m 777 host; mkfifo -m 666 host/forwarder.log", "host"),
        ("mkdir -m 755 victim; ln -s victim host", "host is a link"),
        ("mkdir -m 777 host", "host"),
        ("mkfifo -m 666 host", "host"),
    ],
)
def test_a_folder_that_is_not_ours_is_not_used(
    receiver: Receiver, shared: Path, script: str, said: str
) -> None:
    """The host does its work, says once why nothing is recorded, and leaves the folder alone."""
    somebody(script, shared)
    before = _content(shared)
    environment = host_environment(
        OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint, **{SPOOL_DIR: str(shared)}
    )

    finished = run(EMITTER, environment)

    assert finished.returncode == 0
    assert len(finished.stdout.split()) == MARKS
    assert finished.stderr.count("could not be kept") == 1
    assert said in finished.stderr
    assert RELAYSCOPE_SPOOL_DIR in finished.stderr
    assert _content(shared) == before
    assert receiver.requests == []


@pytest.mark.parametrize("kind", ["fifo", "link"])
def test_a_strange_log_of_the_forwarder_keeps_nobody_waiting(
    receiver: Receiver, spool_dir: Path, tmp_path: Path, kind: str
) -> None:
    """The host ends, what it emitted arrives, and what a link leads to is as it was."""
    victim = tmp_path / "victim"
    victim.write_bytes(b"x" * 2**21)
    folder = spool_dir / COMPONENT
    folder.mkdir(mode=0o700)
    if kind == "fifo":
        os.mkfifo(folder / "forwarder.log")
    else:
        (folder / "forwarder.log").symlink_to(victim)
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)

    finished = run(EMITTER, environment)

    marks = finished.stdout.split()
    eventually(lambda: set(receiver.marks()) == set(marks))
    assert finished.stderr.count("forwarder.log") == 1
    assert victim.read_bytes() == b"x" * 2**21


def test_a_strange_lock_is_told_of(receiver: Receiver, spool_dir: Path) -> None:
    """If no forwarder can run, the host says so, once, instead of waiting at a pipe."""
    environment = host_environment(OTEL_EXPORTER_OTLP_ENDPOINT=receiver.endpoint)
    run(EMITTER, environment)
    (lock,) = (spool_dir / COMPONENT).glob("*.lock")
    end_forwarders(spool_dir)
    lock.unlink()
    os.mkfifo(lock)

    finished = run(EMITTER, environment)

    assert finished.returncode == 0
    assert finished.stderr.count("no forwarder can run") == 1
    assert stat.S_ISFIFO(lock.stat().st_mode)


def _content(folder: Path) -> list[tuple[str, int, int]]:
    return sorted(
        (str(path), found.st_mode, found.st_size)
        for path in folder.rglob("*")
        for found in [path.lstat()]
    )
