"""A disk that is full, limited or read-only: a retryable error, a valid spool, and healing (R6)."""

import os
import resource
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from relayscope.spool import (
    Durability,
    Overflow,
    Spool,
    SpoolFull,
    SpoolSettings,
    SpoolUnavailable,
)
from tests.fix_disk import fill
from tests.spool.spools import acknowledge_all, append_forever, contents, read_all, record, restart

MIB = 1 << 20
IS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0
NOBODY = 65534

needs_root = pytest.mark.skipif(not IS_ROOT, reason="only root may mount a file system")


@needs_root
@pytest.mark.parametrize("durability", Durability)
@pytest.mark.parametrize("size", [40, 3000, 100_000, 300_000])
def test_a_full_disk_is_an_error_that_heals(
    small_disk: Path, durability: Durability, size: int
) -> None:
    """Accepted records are read, also while the disk is full; once there is room, it goes on."""
    settings = SpoolSettings(durability=durability, overflow=Overflow.REFUSE_NEW)
    accepted: list[bytes] = []
    with Spool.create(small_disk / "spool", settings) as spool:
        for _ in range(3):
            filler = fill(small_disk)
            for _ in range(2):
                with pytest.raises(SpoolFull):
                    append_forever(spool, size, accepted)
            filler.unlink()
            accepted.append(record(len(accepted), size))
            spool.append(accepted[-1])
            spool.flush()
            with spool.reader() as reader:
                records, losses = read_all(reader)
                assert (b"".join(records), losses) == (b"".join(accepted), [])
                acknowledge_all(reader)
            accepted.clear()
        spool.append(record(1, size))
    with restart(small_disk / "spool", settings) as spool:
        assert contents(spool) == [record(1, size)]


@needs_root
def test_a_full_disk_can_be_drained(small_disk: Path) -> None:
    """Acknowledging needs no room, and gives it back."""
    settings = SpoolSettings(max_bytes=64 * MIB)
    with Spool.create(small_disk / "spool", settings) as spool, spool.reader() as reader:
        accepted: list[bytes] = []
        with pytest.raises(SpoolFull):
            append_forever(spool, 1000, accepted)
        assert read_all(reader) == (accepted, [])
        filler = fill(small_disk)
        acknowledge_all(reader)
        spool.append(record(1))
        assert read_all(reader) == ([record(1)], [])
        filler.unlink()


@needs_root
def test_a_spool_recovers_on_a_full_disk(small_disk: Path) -> None:
    """A torn spool is adopted and read although nothing can be written; it heals later."""
    with Spool.create(small_disk / "spool") as spool:
        for number in range(10):
            spool.append(record(number))
        root = small_disk / "crashed"
        shutil.copytree(spool.folder, root / spool.folder.name)
    (segment,) = root.glob("*/*.segment")
    os.truncate(segment, segment.stat().st_size - 1)
    filler = fill(small_disk)
    with restart(root) as spool, spool.reader() as reader:
        assert read_all(reader) == ([record(number) for number in range(9)], [])
        with pytest.raises(SpoolFull):
            spool.append(record(10))
        filler.unlink()
        spool.append(record(10))
        records, losses = read_all(reader)
        assert records[-1] == record(10)
        assert [(loss.records, loss.bytes) for loss in losses] == [(1, 39)]


@needs_root
def test_a_root_that_is_full_cannot_be_begun(small_disk: Path) -> None:
    """A new spool on a full disk is refused, and can be made once there is room."""
    filler = fill(small_disk)
    with pytest.raises(SpoolFull):
        Spool.create(small_disk / "spool")
    filler.unlink()
    with Spool.create(small_disk / "other") as spool:
        spool.append(record(1))
        assert contents(spool) == [record(1)]


def in_another_process(do: Callable[[], None]) -> None:
    """Run ``do`` where limits and rights can be given away."""
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
def test_a_limit_on_file_sizes_is_an_error_that_heals(
    tmp_path: Path, durability: Durability
) -> None:
    """An append beyond a limit is cut off and refused, and works once the limit is gone."""

    def child() -> None:
        with Spool.create(tmp_path, SpoolSettings(durability=durability)) as spool:
            spool.append(record(0))
            spool.flush()
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
            # With a window, memory is filled first, and the append says so then.
            with pytest.raises(SpoolFull):
                append_forever(spool, 990, [])
            unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
            spool.append(record(2))
            spool.flush()
            records = contents(spool)
            assert records[0] == record(0)
            assert records[-1] == record(2)
            # With a window, what the disk refused stays in memory until it does not.
            assert durability is Durability.WINDOW or len(records) == 2

    in_another_process(child)


def test_a_folder_without_rights_is_an_error_that_heals(tmp_path: Path) -> None:
    """Appending fails while no segment can be begun, and goes on once one can."""

    def child() -> None:
        if IS_ROOT:  # Whom no missing right would stop.
            os.setuid(NOBODY)
        with Spool.create(root, SpoolSettings(max_bytes=4096)) as spool:
            spool.append(record(0))
            spool.folder.chmod(0o500)
            with pytest.raises(SpoolUnavailable):
                append_forever(spool, 40, [])
            spool.folder.chmod(0o700)
            spool.append(record(2))
            with spool.reader() as reader:
                records, _ = read_all(reader)
            assert records[0] == record(0)
            assert records[-1] == record(2)

    root = tmp_path / "root"
    root.mkdir()
    if IS_ROOT:
        for folder in (root, *root.parents[:-1]):
            folder.chmod(folder.stat().st_mode | 0o711)
        os.chown(root, NOBODY, NOBODY)
    in_another_process(child)


def test_a_root_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    """A root under a file, or on what is no file system for users, is an error that says so."""
    (tmp_path / "file").touch()
    for root in (tmp_path / "file" / "root", Path("/proc/spool")):
        with pytest.raises(SpoolUnavailable, match="make a spool in"):
            Spool.create(root)
    assert SpoolUnavailable.retryable
