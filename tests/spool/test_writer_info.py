"""Promises about what a writer says about itself."""

import os
from pathlib import Path

import pytest

from relayscope.spool import Spool, SpoolReader

ABOUT = b"resource of a process"


def test_a_reader_is_told_what_the_writer_says_about_itself(tmp_path: Path) -> None:
    """Once for all its records, and also when the process has ended."""
    with Spool.create(tmp_path, writer_info=lambda: ABOUT) as spool:
        spool.append(b"record")
        folder = spool.folder
        with spool.reader() as reader:
            assert reader.writer_info == ABOUT

    with SpoolReader(folder) as reader:
        assert reader.writer_info == ABOUT


@pytest.mark.parametrize("place", range(2 * (8 + len(ABOUT))))
def test_one_damaged_byte_does_no_harm(tmp_path: Path, place: int) -> None:
    """Whichever byte of it is flipped, the other copy is whole."""
    with Spool.create(tmp_path, writer_info=lambda: ABOUT) as spool, spool.reader() as reader:
        file = spool.folder / "about"
        data = bytearray(file.read_bytes())
        data[place] ^= 0xFF
        file.write_bytes(data)

        assert reader.writer_info == ABOUT


def test_a_spool_that_says_nothing_says_nothing(tmp_path: Path) -> None:
    """Without it, and without the file, it is empty."""
    with Spool.create(tmp_path) as spool, spool.reader() as reader:
        assert reader.writer_info == b""
        (spool.folder / "about").unlink()
        assert reader.writer_info == b""


def test_a_forked_child_says_something_else(tmp_path: Path) -> None:
    """The writer is asked once more in the child, which has another spool."""
    with Spool.create(tmp_path, writer_info=lambda: str(os.getpid()).encode()) as spool:
        child = os.fork()
        if child == 0:
            spool.append(b"record")
            os._exit(0)
        os.waitpid(child, 0)

        abouts = []
        for folder in tmp_path.iterdir():
            with SpoolReader(folder) as reader:
                abouts.append(reader.writer_info)
        assert sorted(abouts) == sorted(str(pid).encode() for pid in (os.getpid(), child))


def test_files_that_a_reader_keeps_are_deleted_with_the_spool(tmp_path: Path) -> None:
    """Files of a reader beside the records do not keep a delivered spool from being deleted."""
    with Spool.create(tmp_path) as spool, spool.reader() as reader:
        (reader.folder / "outbox").write_bytes(b"mine")

    assert list(tmp_path.iterdir()) == []
