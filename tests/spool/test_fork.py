"""A forked child gets its own spool and leaves its parent's alone."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from relayscope.spool import Durability, Spool, SpoolClosed, SpoolSettings, orphans
from tests.spool.spools import (
    SMALL,
    acknowledge_all,
    append_all,
    contents,
    read_all,
    record,
    restart,
)

# Newer Pythons warn of forking while threads run; that it works is what is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")


def in_child(do: Callable[[], None]) -> None:
    """Run ``do`` in a forked child, and see that it went well."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            do()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


@pytest.mark.parametrize("durability", Durability)
def test_parent_and_child_append_to_their_own(tmp_path: Path, durability: Durability) -> None:
    """The child's records are in a spool of its own, and the parent's has its own only."""
    with Spool.create(tmp_path, SpoolSettings(durability=durability)) as spool:
        append_all(spool, map(record, range(5)))

        def child() -> None:
            append_all(spool, map(record, range(100, 105)))
            spool.close()

        in_child(child)
        append_all(spool, map(record, range(5, 10)))
        spool.flush()
        assert contents(spool) == list(map(record, range(10)))
        with restart(tmp_path) as other:
            assert contents(other) == list(map(record, range(100, 105)))


def test_a_child_that_does_not_append_leaves_no_trace(tmp_path: Path) -> None:
    """A child that only exists, or closes what it inherited, changes nothing on the disk."""
    with Spool.create(tmp_path, SMALL) as spool, spool.reader() as reader:
        append_all(spool, map(record, range(5)))
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        in_child(lambda: None)
        in_child(spool.close)
        in_child(reader.close)
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
        spool.append(record(5))
        assert read_all(reader)[0] == list(map(record, range(6)))


def test_a_child_cannot_read_for_its_parent(tmp_path: Path) -> None:
    """The parent's reader is closed in the child; the child's spool has a reader of its own."""
    with Spool.create(tmp_path, SMALL) as spool, spool.reader() as reader:
        append_all(spool, map(record, range(5)))

        def child() -> None:
            with pytest.raises(SpoolClosed):
                reader.read(reader.acknowledged, 1, 1)
            spool.append(record(100))
            with spool.reader() as own:
                assert read_all(own) == ([record(100)], [])
                acknowledge_all(own)
            spool.close()

        in_child(child)
        assert read_all(reader)[0] == list(map(record, range(5)))
        assert len(list(tmp_path.iterdir())) == 1


def test_the_parents_spool_is_free_when_the_parent_dies(tmp_path: Path) -> None:
    """A child that lives on does not keep its dead parent's spool."""
    go_on, let_go = os.pipe()
    is_born, say_born = os.pipe()

    def parent() -> None:
        spool = Spool.create(tmp_path, SMALL)
        spool.append(record(1))
        if os.fork() == 0:
            os.close(let_go)
            os.write(say_born, b"1")
            os.read(go_on, 1)  # Until the test ends.
            os._exit(0)
        os.read(is_born, 1)  # Until it has let go of what it inherited.

    in_child(parent)
    with restart(tmp_path) as spool:
        assert contents(spool) == [record(1)]
    for each in (let_go, go_on, is_born, say_born):
        os.close(each)


@pytest.mark.processes
def test_forking_while_threads_append(tmp_path: Path) -> None:
    """The child can append and nothing is lost, whatever another thread does at the fork."""
    stop = threading.Event()
    numbers: list[int] = []
    with Spool.create(tmp_path) as spool:

        def append() -> None:
            while not stop.is_set():
                spool.append(record(len(numbers)))
                numbers.append(len(numbers))

        def child() -> None:
            spool.append(record(7))  # And dies without closing.

        thread = threading.Thread(target=append)
        thread.start()
        for _ in range(20):
            in_child(child)
        stop.set()
        thread.join()
        assert contents(spool) == list(map(record, numbers))
        for _ in range(20):
            with restart(tmp_path) as other, other.reader() as reader:
                assert read_all(reader) == ([record(7)], [])
                acknowledge_all(reader)
        assert orphans(tmp_path) == []
