"""Appending, reading, acknowledging: what the spool does when nothing goes wrong."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.spool import (
    START,
    Durability,
    RecordTooLarge,
    Spool,
    SpoolClosed,
    SpoolHeld,
    SpoolSettings,
)
from tests.spool.spools import (
    SMALL,
    TINY,
    acknowledge_all,
    append_all,
    contents,
    end_of,
    read_all,
    record,
    restart,
    segments,
)

MIB = 1 << 20


@pytest.mark.parametrize("durability", Durability)
def test_records_come_back_in_order(tmp_path: Path, durability: Durability) -> None:
    """Appended records are read back, whole and in order, over several segments."""
    expected = [record(number, 20 + number) for number in range(300)]
    with Spool.create(tmp_path, SpoolSettings(durability=durability, max_bytes=MIB)) as spool:
        append_all(spool, expected)
        spool.flush()
        assert len(segments(spool.folder)) > 1
        assert contents(spool) == expected


@pytest.mark.parametrize("durability", Durability)
def test_records_of_any_size_come_back(tmp_path: Path, durability: Durability) -> None:
    """From nothing to 20 MB, the bytes are the same."""
    sizes = [0, 1, 5 * 1024, 5 * 1024 + 1, 256 * 1024, 256 * 1024 + 1, 20_000_000, 3]
    expected = [bytes([number]) * size for number, size in enumerate(sizes)]
    with Spool.create(tmp_path, SpoolSettings(durability=durability)) as spool:
        append_all(spool, expected)
        spool.flush()
        assert contents(spool) == expected


def test_reading_follows_the_writer(tmp_path: Path) -> None:
    """A reader at the end of the spool gets what is appended later, also in a new segment."""
    with Spool.create(tmp_path, TINY) as spool, spool.reader() as reader:
        position = reader.acknowledged
        for number in range(60):
            assert not reader.read(position, 10, MIB).records
            spool.append(record(number))
            batch = reader.read(position, 10, MIB)
            assert batch.records == [record(number)]
            position = batch.end
            reader.acknowledge(position)


@hypothesis.settings(deadline=None)
@given(
    sizes=st.lists(st.integers(0, 300), max_size=40),
    max_records=st.integers(1, 20),
    max_bytes=st.integers(1, 700),
)
def test_a_batch_keeps_to_its_limits(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], max_records: int, max_bytes: int
) -> None:
    """A batch has no more records and bytes than asked for, but for one record that is larger."""
    expected = [record(number, 20 + size) for number, size in enumerate(sizes)]
    with Spool.create(tmp_path_factory.mktemp("spool"), SMALL) as spool, spool.reader() as reader:
        append_all(spool, expected)
        records: list[bytes] = []
        position = reader.acknowledged
        while (batch := reader.read(position, max_records, max_bytes)).records:
            assert len(batch.records) <= max_records
            assert len(batch.records) == 1 or sum(map(len, batch.records)) <= max_bytes
            assert batch.start == position
            records += batch.records
            position = batch.end
        assert records == expected
        assert position.sequence == len(expected)
        assert position.offset == sum(map(len, expected))


def test_a_batch_can_be_acknowledged_in_part(tmp_path: Path) -> None:
    """The position after the first records of a batch is where reading goes on."""
    with Spool.create(tmp_path, SMALL) as spool, spool.reader() as reader:
        append_all(spool, map(record, range(10)))
        batch = reader.read(reader.acknowledged, 10, MIB)
        assert batch.position_after(0) == batch.start == START
        assert batch.position_after(10) == batch.end
        reader.acknowledge(batch.position_after(4))
        assert read_all(reader) == (list(map(record, range(4, 10))), [])


def test_the_acknowledged_position_only_moves_forward(tmp_path: Path) -> None:
    """Going back does nothing, and nobody acknowledges what has not been read."""
    with Spool.create(tmp_path, SMALL) as spool, spool.reader() as reader:
        append_all(spool, map(record, range(10)))
        batch = reader.read(START, 5, MIB)
        reader.acknowledge(batch.end)
        reader.acknowledge(batch.position_after(2))
        assert reader.acknowledged == batch.end
        with pytest.raises(ValueError, match="not been read"):
            reader.acknowledge(batch.end.after(1, 40))
        assert reader.read(START, 1, MIB).records == [record(5)]


def test_delivered_segments_are_deleted(tmp_path: Path) -> None:
    """Acknowledging gives the disk back, but for the segment that is being written."""
    with Spool.create(tmp_path, TINY) as spool, spool.reader() as reader:
        append_all(spool, map(record, range(40)))
        assert len(segments(spool.folder)) > 2
        acknowledge_all(reader)
        assert len(segments(spool.folder)) == 1
        spool.append(record(40))
        assert read_all(reader) == ([record(40)], [])


def test_a_delivered_spool_leaves_nothing(tmp_path: Path) -> None:
    """Closing a spool of which everything was acknowledged deletes its folder."""
    with Spool.create(tmp_path, SMALL) as spool:
        append_all(spool, map(record, range(5)))
        with spool.reader() as reader:
            acknowledge_all(reader)
    assert list(tmp_path.iterdir()) == []
    assert Spool.adopt(tmp_path) is None


def test_what_was_not_delivered_waits(tmp_path: Path) -> None:
    """After a restart, reading goes on where it was acknowledged, and appending at the end."""
    with Spool.create(tmp_path, SMALL) as spool, spool.reader() as reader:
        append_all(spool, map(record, range(10)))
        reader.acknowledge(reader.read(START, 3, MIB).end)
    with restart(tmp_path) as spool, spool.reader() as reader:
        append_all(spool, map(record, range(10, 15)))
        assert read_all(reader) == (list(map(record, range(3, 15))), [])
        assert end_of(reader).sequence == 15


def test_the_backlog_is_what_waits(tmp_path: Path) -> None:
    """Records, bytes and age count from the acknowledged position."""
    with Spool.create(tmp_path, SMALL) as spool, spool.reader() as reader:
        assert (spool.backlog().records, spool.backlog().seconds) == (0, 0.0)
        append_all(spool, map(record, range(10)))
        reader.acknowledge(reader.read(START, 4, MIB).end)
        backlog = spool.backlog()
        assert (backlog.records, backlog.bytes) == (6, 6 * 40)
        assert backlog.disk_bytes == sum(path.stat().st_size for path in segments(spool.folder))
        assert backlog.seconds > 0
        acknowledge_all(reader)
        assert (spool.backlog().records, spool.backlog().seconds) == (0, 0.0)


def test_threads_append_together(tmp_path: Path) -> None:
    """Records of several threads are all there, each thread's in its order."""
    with Spool.create(tmp_path, SpoolSettings(max_bytes=MIB)) as spool:
        with ThreadPoolExecutor(4) as pool:
            for thread in range(4):
                pool.submit(append_all, spool, [b"%d %d" % (thread, n) for n in range(1000)])
        records = [tuple(map(int, each.split())) for each in contents(spool)]
    for thread in range(4):
        assert [n for t, n in records if t == thread] == list(range(1000))


def test_threads_share_their_flushes(tmp_path: Path) -> None:
    """With power durability, appends of several threads all return and are all there."""
    with Spool.create(
        tmp_path, SpoolSettings(durability=Durability.POWER, max_bytes=4096)
    ) as spool:
        with ThreadPoolExecutor(8) as pool:
            for thread in range(8):
                pool.submit(append_all, spool, [b"%d %d" % (thread, n) for n in range(10)])
        assert len(contents(spool)) == 80


def test_a_record_that_never_fits_is_refused_for_good(tmp_path: Path) -> None:
    """A record larger than the bound is not retryable, and harms nothing."""
    for durability in Durability:
        settings = SpoolSettings(durability=durability, max_bytes=4096)
        with Spool.create(tmp_path / durability.value, settings) as spool:
            spool.append(record(1))
            with pytest.raises(RecordTooLarge, match="the largest has"):
                spool.append(bytes(4096))
            spool.append(record(2))
            spool.flush()
            assert contents(spool) == [record(1), record(2)]
    assert not RecordTooLarge.retryable


def test_a_spool_has_one_reader(tmp_path: Path) -> None:
    """A second reader is refused until the first one is closed."""
    with Spool.create(tmp_path, SMALL) as spool:
        with spool.reader(), pytest.raises(SpoolHeld):
            spool.reader()
        spool.reader().close()


def test_what_is_closed_says_so(tmp_path: Path) -> None:
    """Using a closed spool or reader is an error of its own, and closing twice is none."""
    spool = Spool.create(tmp_path, SMALL)
    spool.append(record(1))
    reader = spool.reader()
    for _ in range(2):
        reader.close()
        spool.close()
    with pytest.raises(SpoolClosed):
        spool.append(record(2))
    with pytest.raises(SpoolClosed):
        spool.backlog()
    with pytest.raises(SpoolClosed):
        reader.read(START, 1, 1)


def test_files_are_private(tmp_path: Path) -> None:
    """Folders are 0700 and files 0600, also those made on the way to the root."""
    root = tmp_path / "deep" / "root"
    with Spool.create(root, TINY) as spool:
        append_all(spool, map(record, range(200)))
        folders = {tmp_path / "deep", root, spool.folder}
        files = set(spool.folder.iterdir())
        assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
        assert {path.name for path in files} >= {"lock", "cursor", "dropped"}


def test_settings_that_cannot_work_are_refused() -> None:
    """Bounds that hold no record are an error at once."""
    with pytest.raises(ValueError, match="max_bytes"):
        SpoolSettings(max_bytes=100)
    with pytest.raises(ValueError, match="max_age"):
        SpoolSettings(max_age=-SpoolSettings().max_age)
