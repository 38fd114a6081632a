"""A power failure loses nothing that was appended with power durability.

The spool is on a file system in an image file. A copy of the image is what a disk would hold if the
power failed at that moment: only what has been flushed to it, with the file system's journal as it
stands. It is mounted, and the spool in it read.
"""

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from relayscope.spool import Durability, Spool, SpoolSettings
from tests.spool.spools import read_all, record

MIB = 1 << 20
SETTINGS = SpoolSettings(
    durability=Durability.POWER, max_bytes=2 * MIB
)  # More than is ever appended.
ROUNDS = 8

pytestmark = pytest.mark.skipif(
    not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("mkfs.ext4")),
    reason="only root may mount an image of a disk, and mkfs.ext4 must be there",
)


@contextmanager
def mounted(image: Path, folder: Path) -> Iterator[Path]:
    """A disk image as a folder."""
    folder.mkdir()
    mount = ["mount", "-o", "loop", str(image), str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this container may not mount a disk image")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """An empty disk."""
    path = tmp_path / "image"
    path.touch()
    os.truncate(path, 16 * MIB)
    initialised = "lazy_itable_init=0,lazy_journal_init=0"
    subprocess.run(["mkfs.ext4", "-q", "-F", "-E", initialised, path], check=True)
    return path


def test_a_power_failure_loses_nothing_that_was_promised(tmp_path: Path, image: Path) -> None:
    """Whenever an append has returned, its record is on the disk; nothing delivered is missed."""
    appended: list[bytes] = []
    with (
        mounted(image, tmp_path / "disk") as disk,
        Spool.create(disk / "deep" / "root", SETTINGS) as spool,
        spool.reader() as reader,
    ):
        for failure in range(ROUNDS):
            for _ in range(random.randint(1, 20)):
                appended.append(record(len(appended), random.choice((20, 500, 3000, 9000))))
                spool.append(appended[-1])
            if failure % 2:
                reader.acknowledge(reader.read(reader.acknowledged, 10, MIB).end)
            acknowledged = reader.acknowledged.sequence
            copy = tmp_path / f"image-{failure}"
            shutil.copyfile(image, copy)
            with mounted(copy, tmp_path / f"disk-{failure}") as rest:
                survivor = Spool.adopt(rest / "deep" / "root", SETTINGS)
                assert survivor is not None
                with survivor, survivor.reader() as reading:
                    records, losses = read_all(reading)
                    first = reading.acknowledged.sequence
                assert first <= acknowledged
                assert losses == []
                assert records == appended[len(appended) - len(records) :]
                assert len(records) >= len(appended) - acknowledged
            copy.unlink()
