"""kill -9 at random moments: what was promised is read back, exactly once, in order."""

import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relayscope.spool import Durability, LossReason, Spool, SpoolReader
from tests.spool import appender
from tests.spool.appender import number_of, promised, settings
from tests.spool.spools import acknowledge_all, lost, read_all

ROUNDS = 12
MIB = 1 << 20


@contextmanager
def appending(root: Path, durability: Durability, progress: Path, first: int) -> Iterator[None]:
    """A process that appends from ``first`` on, from its first promise until it is killed."""
    program = [sys.executable, appender.__file__]
    arguments = [str(root), durability.value, str(progress), str(first)]
    process = subprocess.Popen([*program, *arguments])
    try:
        while promised(progress) < first:
            assert process.poll() is None, "the appending process ended by itself"
            time.sleep(0.001)
        yield
    finally:
        process.kill()
        process.wait()


def random_moment(durability: Durability) -> None:
    """Let the other process run until it is hit anywhere: in the middle of a window, too."""
    time.sleep(random.uniform(0, 0.25 if durability is Durability.WINDOW else 0.06))


@pytest.mark.parametrize("durability", Durability)
def test_killing_the_writer_loses_nothing_it_promised(
    tmp_path: Path, durability: Durability
) -> None:
    """Over many lives of a spool, everything promised is delivered once and in order."""
    root, progress = tmp_path / "root", tmp_path / "progress"
    first_waiting = first = 0
    for _ in range(ROUNDS):
        with appending(root, durability, progress, first):
            random_moment(durability)
        spool = Spool.adopt(root, settings(durability.value))
        if spool is None:
            assert durability is Durability.WINDOW  # Killed before its first window ended.
            continue
        with spool, spool.reader() as reader:
            records, losses = read_all(reader)
            numbers = list(map(number_of, records))
            first = first_waiting + len(numbers)
            assert numbers == list(range(first_waiting, first))
            assert first > promised(progress) or durability is Durability.WINDOW
            # A kill leaves at most the record torn that was being appended.
            assert set(lost(losses)) <= {LossReason.TORN}
            assert all(loss.records == 1 for loss in losses)
            # Some stay, so that segments of several lives are read together.
            enough = random.randint(first_waiting, first)
            while first_waiting < enough:
                part = reader.read(reader.acknowledged, 100, MIB)
                reader.acknowledge(part.end)
                first_waiting += len(part.records)
        progress.unlink()


def test_a_reader_in_another_process_keeps_up(tmp_path: Path) -> None:
    """While a process appends as fast as it can, another reads everything, and nothing else."""
    root, progress = tmp_path / "root", tmp_path / "progress"
    numbers: list[int] = []
    with appending(root, Durability.PROCESS, progress, 0):
        (folder,) = root.iterdir()
        while len(numbers) < 20_000:
            with SpoolReader(folder) as reader:  # Opened anew now and then, as after its own death.
                for _ in range(20):
                    batch = reader.read(reader.acknowledged, 300, MIB)
                    assert not batch.losses
                    numbers += map(number_of, batch.records)
                    reader.acknowledge(batch.end)
    spool = Spool.adopt(root)
    if spool is not None:
        with spool, spool.reader() as reader:
            numbers += map(number_of, read_all(reader)[0])
            acknowledge_all(reader)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > promised(progress)
    assert list(root.iterdir()) == []
