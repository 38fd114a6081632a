"""A spool keeps to its bounds in bytes and age, and counts what it drops for them."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.spool import (
    START,
    Durability,
    LossReason,
    Overflow,
    Spool,
    SpoolFull,
    SpoolSettings,
    bound_orphans,
)
from relayscope.spool.format.segment import HEADER_BYTES, Header
from tests.spool.spools import (
    SMALL,
    TINY,
    acknowledge_all,
    append_all,
    append_forever,
    contents,
    crash,
    lost,
    read_all,
    record,
    restart,
    segments,
)

SIZE = 40
REFUSING = SpoolSettings(max_bytes=4096, overflow=Overflow.REFUSE_NEW)


def on_disk(root: Path) -> int:
    """Bytes of all segments under a root."""
    return sum(path.stat().st_size for path in root.rglob("*.segment"))


@hypothesis.settings(deadline=None)
@given(sizes=st.lists(st.integers(20, 1500), min_size=1, max_size=80))
def test_the_oldest_records_are_dropped_and_counted(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    """Never more bytes than the bound; what was dropped is the beginning, counted exactly."""
    root = tmp_path_factory.mktemp("spool")
    expected = [record(number, size) for number, size in enumerate(sizes)]
    with Spool.create(root, TINY) as spool, spool.reader() as reader:
        for each in expected:
            spool.append(each)
            assert on_disk(root) <= TINY.max_bytes
        records, losses = read_all(reader)
        gone = expected[: len(expected) - len(records)]
        assert records == expected[len(gone) :]
        assert lost(losses) == ({LossReason.SIZE: (len(gone), sum(map(len, gone)))} if gone else {})


def test_drops_are_reported_with_the_records_around_them(tmp_path: Path) -> None:
    """A loss is read until the records after it are acknowledged, through restarts, then never."""
    with Spool.create(tmp_path / "spool", TINY) as spool:
        append_all(spool, map(record, range(100)))
        root = crash(spool.folder)
    for _ in range(3):
        with restart(root, TINY) as spool, spool.reader() as reader:
            batch = reader.read(reader.acknowledged, 1, 1)
            assert [loss.reason for loss in batch.losses] == [LossReason.SIZE]
            assert batch.losses[0].records == batch.start.sequence
            assert batch.records == [record(batch.start.sequence)]
    with restart(root, TINY) as spool, spool.reader() as reader:
        reader.acknowledge(reader.read(START, 1, 1).end)
        assert reader.read(START, 1, 1).losses == []


def test_what_was_read_before_it_was_dropped_is_not_lost(tmp_path: Path) -> None:
    """Records in the hands of a reader when their segment goes are delivered, not counted."""
    with Spool.create(tmp_path, TINY) as spool, spool.reader() as reader:
        append_all(spool, map(record, range(10)))
        batch = reader.read(START, 10, SIZE * 10)
        append_all(spool, map(record, range(10, 200)))
        assert batch.end > START
        reader.acknowledge(batch.end)
        records, losses = read_all(reader)
        ((reason, (count, size)),) = lost(losses).items()
        assert reason is LossReason.SIZE
        assert len(batch.records) + count + len(records) == 200
        assert size == count * SIZE


def test_acknowledged_records_are_dropped_without_a_loss(tmp_path: Path) -> None:
    """Delivered records do not count as lost when their segment goes."""
    with Spool.create(tmp_path, TINY) as spool, spool.reader() as reader:
        for number in range(200):
            spool.append(record(number))
            batch = reader.read(reader.acknowledged, 10, 1000)
            assert (batch.records, list(batch.losses)) == ([record(number)], [])
            reader.acknowledge(batch.end)


def test_a_full_spool_refuses_if_told_so(tmp_path: Path) -> None:
    """With REFUSE_NEW nothing is dropped; the append fails, and works once there is room."""
    taken: list[bytes] = []
    with Spool.create(tmp_path, REFUSING) as spool, spool.reader() as reader:
        for _ in range(3):
            with pytest.raises(SpoolFull, match="when records have been acknowledged"):
                append_forever(spool, SIZE, taken)
            assert on_disk(tmp_path) <= REFUSING.max_bytes
            position = reader.acknowledged
            waiting = taken[position.sequence :]
            assert read_all(reader) == (waiting, [])
            batch = reader.read(position, len(waiting) // 2, 1 << 20)
            reader.acknowledge(batch.end)
        assert SpoolFull.retryable


def test_a_delivered_spool_takes_its_largest_record_again(tmp_path: Path) -> None:
    """With REFUSE_NEW, what has been delivered never stands in the way, large as it may be."""
    with Spool.create(tmp_path, REFUSING) as spool, spool.reader() as reader:
        for number in range(5):
            spool.append(record(number, 3000))
            with pytest.raises(SpoolFull):
                spool.append(record(number, 3000))
            acknowledge_all(reader)


def test_old_records_are_dropped_and_counted(tmp_path: Path) -> None:
    """Records beyond the age go when a segment is begun; the newest never do."""
    settings = SpoolSettings(max_age=timedelta(milliseconds=20))
    number = 0
    with Spool.create(tmp_path, settings) as spool:
        spool.append(record(number))
        (first,) = segments(spool.folder)
        while first.exists():
            number += 1
            spool.append(record(number))
        with spool.reader() as reader:
            records, losses = read_all(reader)
        gone = number + 1 - len(records)
        assert records == list(map(record, range(gone, number + 1)))
        assert lost(losses) == {LossReason.AGE: (gone, gone * SIZE)}


def test_what_must_not_be_dropped_does_not_age(tmp_path: Path) -> None:
    """With REFUSE_NEW, age drops nothing."""
    settings = SpoolSettings(max_age=timedelta(microseconds=1), overflow=Overflow.REFUSE_NEW)
    with Spool.create(tmp_path, settings) as spool:
        append_all(spool, map(record, range(20)))
        assert len(segments(spool.folder)) > 10  # Each was old when the next record came.
        assert contents(spool) == list(map(record, range(20)))


def set_wall_clock_marks(path: Path, seconds: float) -> None:
    """Give a file the dates that it would have if the wall clock had been wrong."""
    os.utime(path, (seconds, seconds))


def written_in_another_boot(path: Path, _: float) -> None:
    """Rewrite a segment's header as one written long ago, before the machine was booted."""
    data = path.read_bytes()
    header = Header.unpack(data)
    other = Header(header.torn_records, header.torn_bytes, bytes(range(16)), -1e9, header.marker)
    path.write_bytes(other.pack() + data[HEADER_BYTES:])


@pytest.mark.parametrize("change", [set_wall_clock_marks, written_in_another_boot])
@pytest.mark.parametrize("seconds", [0.0, 86_400.0, 4e9])
def test_no_clock_that_jumps_drops_anything(
    tmp_path: Path, change: Callable[[Path, float], None], seconds: float
) -> None:
    """Dates from the past or future, and stamps of another boot, make no record old."""
    with Spool.create(tmp_path / "spool", SMALL) as spool:
        append_all(spool, map(record, range(100)))
        root = crash(spool.folder)
    for path in root.rglob("*.segment"):
        change(path, seconds)
    with restart(root) as spool:
        append_all(spool, map(record, range(100, 140)))
        assert contents(spool) == list(map(record, range(140)))


def test_age_goes_on_after_a_restart(tmp_path: Path) -> None:
    """Within one boot, the time that a spool was nobody's counts, too."""
    with Spool.create(tmp_path / "spool", SMALL) as spool:
        append_all(spool, map(record, range(50)))
        root = crash(spool.folder)
    settings = SpoolSettings(max_bytes=SMALL.max_bytes, max_age=timedelta(microseconds=1))
    with restart(root, settings) as spool, spool.reader() as reader:
        spool.append(record(50))
        records, losses = read_all(reader)
        assert records[-1] == record(50)
        assert set(lost(losses)) == {LossReason.AGE}
        assert lost(losses)[LossReason.AGE][0] + len(records) == 51


def test_reasons_are_kept_apart(tmp_path: Path) -> None:
    """Losses for different reasons in one hole are counted each for its own."""
    aging = SpoolSettings(max_bytes=4096, max_age=timedelta(microseconds=1))
    with Spool.create(tmp_path / "spool", TINY) as spool:
        append_all(spool, map(record, range(100)))
        by_size = int(segments(spool.folder)[0].name.partition("-")[0])
        root = crash(spool.folder)
    with restart(root, aging) as spool:
        spool.append(record(100))
        by_age = int(segments(spool.folder)[0].name.partition("-")[0]) - by_size
        root = crash(spool.folder)
    with restart(root, TINY) as spool, spool.reader() as reader:
        deleted, kept = segments(spool.folder)[0], segments(spool.folder)[1]
        missing = int(kept.name.partition("-")[0]) - by_size - by_age
        deleted.unlink()
        assert lost(read_all(reader)[1]) == {
            LossReason.SIZE: (by_size, by_size * SIZE),
            LossReason.AGE: (by_age, by_age * SIZE),
            LossReason.MISSING: (missing, missing * SIZE),
        }


@pytest.mark.parametrize("durability", Durability)
def test_the_spools_of_dead_processes_are_bounded_together(
    tmp_path: Path, durability: Durability
) -> None:
    """However many processes crash, what they leave stays within the bound; drops are counted."""
    settings = SpoolSettings(max_bytes=4096, durability=durability)
    for life in range(6):
        with Spool.create(tmp_path, settings) as spool:
            append_all(spool, [record(number) for number in range(life * 20, life * 20 + 20)])
    bound_orphans(tmp_path, settings)
    # Of a spool of which everything was dropped, a header is left to tell of it.
    assert on_disk(tmp_path) <= settings.max_bytes + 6 * HEADER_BYTES
    records: list[bytes] = []
    dropped = 0
    while orphan := Spool.adopt(tmp_path, settings):
        with orphan, orphan.reader() as reader:
            found, losses = read_all(reader)
            records += found
            dropped += lost(losses).get(LossReason.SIZE, (0, 0))[0]
            acknowledge_all(reader)
    assert len(records) + dropped == 120
    assert records == [record(number) for number in range(dropped, 120)]
