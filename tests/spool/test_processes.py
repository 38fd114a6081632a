"""Several processes share one root; what a dead one left is found by another."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from relayscope.spool import Durability, Spool, SpoolReader, list_slots, orphans
from tests.spool.appender import number_of, promised
from tests.spool.spools import (
    SMALL,
    acknowledge_all,
    append_all,
    contents,
    crash,
    read_all,
    record,
    restart,
)
from tests.spool.test_kill import appending


def test_processes_share_a_root_undisturbed(tmp_path: Path) -> None:
    """Two processes append under one root, and each one's records stay its own."""
    root = tmp_path / "root"
    one, two = tmp_path / "one", tmp_path / "two"
    with (
        appending(root, Durability.PROCESS, one, 0),
        appending(root, Durability.PROCESS, two, 50_000),
    ):
        folders = sorted(root.iterdir())
        assert orphans(root) == []
        assert Spool.adopt(root) is None
    assert len(folders) == 2
    assert orphans(root) == folders
    for first, progress in ((0, one), (50_000, two)):
        with restart(root) as spool, spool.reader() as reader:
            numbers = [number_of(each) for each in read_all(reader)[0]]
            assert numbers == list(range(first, first + len(numbers)))
            assert numbers[-1] >= promised(progress)
            acknowledge_all(reader)
    assert list(root.iterdir()) == []


def test_a_spool_is_no_orphan_while_its_process_lives(tmp_path: Path) -> None:
    """It becomes one when it is closed with records that were not delivered."""
    with Spool.create(tmp_path, SMALL) as spool:
        spool.append(record(1))
        folder = spool.folder
        assert orphans(tmp_path) == []
        assert Spool.adopt(tmp_path) is None
    assert orphans(tmp_path) == [folder]
    assert Spool.adopt(tmp_path / "nowhere") is None


def test_each_orphan_is_adopted_once(tmp_path: Path) -> None:
    """The oldest is adopted first, and none twice, however often one asks."""
    for number in range(3):
        with Spool.create(tmp_path, SMALL) as spool:
            spool.append(record(number))
    adopted = [restart(tmp_path) for _ in range(3)]
    assert Spool.adopt(tmp_path) is None
    assert [contents(spool) for spool in adopted] == [[record(number)] for number in range(3)]
    for spool in adopted:
        spool.close()


def test_a_process_number_may_be_used_again(tmp_path: Path) -> None:
    """A spool's lock tells whether its process lives; the number in its name does not."""
    with Spool.create(tmp_path / "spool", SMALL) as spool:
        spool.append(record(1))
        root = crash(spool.folder)
    (folder,) = root.iterdir()
    assert f"-{os.getpid()}-" in folder.name
    assert orphans(root) == [folder]
    with restart(root) as spool:
        assert contents(spool) == [record(1)]


def test_a_spool_that_another_process_reads_is_not_adopted(tmp_path: Path) -> None:
    """After its writer's death, the reader in another process goes on undisturbed."""
    with Spool.create(tmp_path, SMALL) as spool:
        append_all(spool, map(record, range(5)))
        folder = spool.folder
        reader = SpoolReader(folder)
    with reader:
        assert Spool.adopt(tmp_path) is None
        assert read_all(reader) == (list(map(record, range(5))), [])
    with restart(tmp_path) as spool:
        assert len(contents(spool)) == 5


def test_strangers_in_the_root_are_left_alone(tmp_path: Path) -> None:
    """Files, links and folders that no spool made are neither adopted nor deleted."""
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "folder").mkdir()
    elsewhere = tmp_path / "folder" / "spool"
    with Spool.create(elsewhere, SMALL) as spool:
        spool.append(record(1))
        folder = spool.folder
    (tmp_path / folder.name).symlink_to(folder)
    before = sorted(tmp_path.iterdir())
    assert orphans(tmp_path) == []
    assert Spool.adopt(tmp_path) is None
    Spool.create(tmp_path, SMALL).close()
    assert sorted(tmp_path.iterdir()) == before


def test_the_lock_ends_with_the_process_and_not_with_its_children(tmp_path: Path) -> None:
    """A program that the writer has started and that outlives it does not hold its spool."""
    script = (
        "import os, subprocess, sys\n"
        "from pathlib import Path\n"
        "from relayscope.spool import Spool\n"
        "Spool.create(Path(sys.argv[1])).append(b'last words')\n"
        "child = subprocess.Popen([sys.executable, '-c', 'input()'], stdin=sys.stdin)\n"
        "print(child.pid, flush=True)\n"
        "os.kill(os.getpid(), 9)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        os.kill(child, 0)
        with restart(tmp_path) as spool:
            assert contents(spool) == [b"last words"]


def test_starting_processes_share_out_the_orphans(tmp_path: Path) -> None:
    """Processes that start at the same time adopt each orphan once, and nothing is lost."""
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from relayscope.spool import Spool\n"
        "sys.stdin.read()\n"
        "while spool := Spool.adopt(Path(sys.argv[1])):\n"
        "    with spool, spool.reader() as reader:\n"
        "        batch = reader.read(reader.acknowledged, 10, 1000)\n"
        "        print(*(record.decode() for record in batch.records), flush=True)\n"
        "        reader.acknowledge(batch.end)\n"
    )
    for number in range(60):
        with Spool.create(tmp_path, SMALL) as spool:
            spool.append(b"%d" % number)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.close()
    outputs = []
    for process in processes:
        assert process.stdout is not None
        with process.stdout:
            outputs += process.stdout.read().split()
        assert process.wait() == 0
    # Whoever looks at a slot holds it for that moment, and another may pass it over.
    for spool in iter(lambda: Spool.adopt(tmp_path), None):
        with spool, spool.reader() as reader:
            outputs += [each.decode() for each in read_all(reader)[0]]
            acknowledge_all(reader)
    assert sorted(map(int, outputs)) == list(range(60))
    assert list(tmp_path.iterdir()) == []


def test_a_slot_that_goes_while_slots_are_listed_hides_no_other(tmp_path: Path) -> None:
    """However many others are deleted at that moment, one that stays is always among them."""
    with Spool.create(tmp_path) as staying:
        folder = staying.folder
        ended = threading.Event()

        def come_and_go() -> None:
            while not ended.is_set():
                for number in range(50):
                    (tmp_path / f"{number:020d}-1-00000000").mkdir()
                for number in range(50):
                    (tmp_path / f"{number:020d}-1-00000000").rmdir()

        thread = threading.Thread(target=come_and_go)
        thread.start()
        try:
            found = [folder in list_slots(tmp_path) for _ in range(2000)]
        finally:
            ended.set()
            thread.join()
    assert all(found)
