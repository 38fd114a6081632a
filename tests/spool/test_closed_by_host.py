"""A host may close every descriptor that it does not know, and be given their numbers."""

from __future__ import annotations

import os
import signal
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from relayscope.spool import (
    Durability,
    Spool,
    SpoolSettings,
    has_ended,
    list_slots,
)
from tests.spool.spools import acknowledge_all, append_all, contents, read_all, record

if TYPE_CHECKING:
    from collections.abc import Iterator


def descriptors_in(folder: Path) -> dict[str, int]:
    """Return the numbers of this process's open files in a folder, by their names."""
    found = {}
    for number in Path("/proc/self/fd").iterdir():
        with suppress(OSError):  # That by which they are listed is closed already.
            path = number.readlink()
            if path.parent == folder:
                found[path.name] = int(number.name)
    return found


@contextmanager
def taken(numbers: list[int], folder: Path) -> Iterator[list[Path]]:
    """Close descriptors and give their numbers to files of the host's; yield these."""
    files = [folder / f"host-{number}" for number in numbers]
    with ExitStack() as stack:
        for number, path in zip(numbers, files, strict=True):
            file = os.open(path, os.O_RDWR | os.O_CREAT)
            os.dup2(file, number)
            os.close(file)
            stack.callback(os.close, number)  # Fails if somebody else has closed it.
        yield files


def everything(root: Path, settings: SpoolSettings) -> list[bytes]:
    """Take over all spools in a folder, oldest first, and return what is in them."""
    records = []
    for folder in list_slots(root):
        spool = Spool.adopt_from(folder, settings)
        if spool is not None:  # Nothing was appended to it.
            with spool:
                records += contents(spool)
    return records


@pytest.mark.parametrize("durability", Durability)
def test_nothing_is_written_to_what_the_host_has_opened_instead(
    tmp_path: Path, durability: Durability
) -> None:
    """Its files stay empty and open; all records are there, those before and those after."""
    settings = SpoolSettings(durability=durability)
    root = tmp_path / "spools"
    with Spool.create(root, settings) as spool:
        append_all(spool, map(record, range(5)))
        spool.flush()
        with taken([*descriptors_in(spool.folder).values()], tmp_path) as files:
            append_all(spool, map(record, range(5, 10)))
            spool.flush()
            assert len(files) == 2
            assert [file.read_bytes() for file in files] == [b"", b""]
            old, new = list_slots(root)
            assert (has_ended(old), has_ended(new)) == (True, False)
            assert spool.folder == new
            spool.close()
            # The host's, whose numbers these are, are closed by it alone.
        assert everything(root, settings) == [*map(record, range(10))]


def test_closed_descriptors_lose_nothing(tmp_path: Path) -> None:
    """Also where nobody is given their numbers, and more than once."""
    with Spool.create(tmp_path) as spool:
        for number in range(5):
            for descriptor in descriptors_in(spool.folder).values():
                os.close(descriptor)
            spool.append(record(number))
        spool.append(record(5))
    assert everything(tmp_path, SpoolSettings()) == [*map(record, range(6))]


def test_a_lock_that_was_closed_is_not_relied_on(tmp_path: Path) -> None:
    """Whoever finds it free may take the spool over: what comes later goes into another one."""
    root = tmp_path / "spools"
    with Spool.create(root) as spool:
        spool.append(record(0))
        # Of this process the adopter is, too, and would be given the number of the lock.
        with taken([descriptors_in(spool.folder)["lock"]], tmp_path):
            adopted = Spool.adopt_from(spool.folder)
            assert adopted is not None
            with adopted, adopted.reader() as reader:
                number = 0
                while spool.folder == adopted.folder:  # It is looked at ten times a second.
                    number += 1
                    spool.append(record(number))
                assert read_all(reader)[0] == [*map(record, range(number))]
                assert contents(spool) == [record(number)]
                assert not has_ended(spool.folder)


def test_a_spool_is_left_alone_by_who_has_lost_it(tmp_path: Path) -> None:
    """Closing it deletes nothing of a spool that somebody else may have taken over."""
    spool = Spool.create(tmp_path / "spools")
    spool.append(record(0))
    with taken([descriptors_in(spool.folder)["lock"]], tmp_path):
        adopted = Spool.adopt_from(spool.folder)
        assert adopted is not None
        with adopted, adopted.reader() as reader:
            acknowledge_all(reader)
            spool.close()
            assert adopted.folder.exists()


def test_a_child_closes_nothing_of_the_hosts(tmp_path: Path) -> None:
    """A forked child leaves the numbers alone that its parent's host has been given."""
    with Spool.create(tmp_path / "spools") as spool:
        spool.append(record(0))
        with taken([*descriptors_in(spool.folder).values()], tmp_path) as files:
            numbers = [int(file.name.removeprefix("host-")) for file in files]
            pid = os.fork()
            if pid == 0:
                try:
                    for number in numbers:
                        os.fstat(number)
                    spool.append(record(1))
                    for number in numbers:
                        os.write(number, b"child")
                except BaseException:  # noqa: BLE001  # nobody else tells the parent
                    os._exit(1)
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            assert [file.read_bytes() for file in files] == [b"child", b"child"]


def test_a_handler_that_appends_while_another_spool_is_begun_loses_nothing(tmp_path: Path) -> None:
    """At whatever instant the signal comes, each record is there once."""
    handled: list[bytes] = []
    appended: list[bytes] = []
    with Spool.create(tmp_path) as spool:

        def handle(*_: object) -> None:
            handled.append(b"handler %d" % len(handled))
            spool.append(handled[-1])

        before = signal.signal(signal.SIGALRM, handle)
        try:
            for number in range(200):
                for descriptor in descriptors_in(spool.folder).values():
                    os.close(descriptor)
                signal.setitimer(signal.ITIMER_REAL, 1e-6 + number * 2e-6)
                appended.append(b"main %d" % number)
                spool.append(appended[-1])
                signal.setitimer(signal.ITIMER_REAL, 0)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        spool.append(b"main last")
    records = everything(tmp_path, SpoolSettings())
    assert handled
    assert sorted(records) == sorted([*handled, *appended, b"main last"])
