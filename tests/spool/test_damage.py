"""A damaged spool gives back what is valid, counts the rest, and starts (R7)."""

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.spool import Loss, LossReason, Spool
from relayscope.spool.format.frame import FRAME_BYTES
from relayscope.spool.format.segment import HEADER_BYTES
from tests.spool.spools import (
    SMALL,
    TINY,
    acknowledge_all,
    append_all,
    crash,
    lost,
    read_all,
    record,
    restart,
    segments,
)

RECORDS = 6
SIZE = 40
FRAME = FRAME_BYTES + SIZE

EXPECTED = [record(number) for number in range(RECORDS)]
FRESH = record(1000)


@pytest.fixture
def crashed(tmp_path: Path) -> Path:
    """The root of a spool of one segment, whose process died."""
    with Spool.create(tmp_path / "spool", SMALL) as spool:
        append_all(spool, EXPECTED)
        return crash(spool.folder)


def only_segment(root: Path) -> Path:
    """The segment file of a spool that has one."""
    (path,) = root.glob("*/*.segment")
    return path


def damage(path: Path, data: bytes | bytearray) -> None:
    """Replace what is in a file."""
    path.write_bytes(data)


def after_restart(root: Path) -> tuple[list[bytes], list[Loss]]:
    """Restart a spool, append a fresh record and deliver all; return the records and losses."""
    with restart(root) as spool, spool.reader() as reader:
        spool.append(FRESH)
        records, losses = read_all(reader)
        assert records.pop() == FRESH
        # Reading again, in steps of one record, finds the same.
        assert read_all(reader, max_records=1) == ([*records, FRESH], losses)
        acknowledge_all(reader)
    assert list(root.iterdir()) == []
    return records, losses


def test_a_torn_last_record_is_cut_off(crashed: Path) -> None:
    """The other records come back, and one is counted as torn, however much of it is left."""
    path = only_segment(crashed)
    data = path.read_bytes()
    start = len(data) - FRAME
    for length in range(start + 1, len(data)):
        root = crash(path.parent)
        damage(only_segment(root), data[:length])
        records, losses = after_restart(root)
        assert records == EXPECTED[:-1]
        assert losses == [Loss(LossReason.TORN, 1, max(0, length - start - FRAME_BYTES))]


def test_a_flipped_byte_in_the_last_record_loses_that_record(crashed: Path) -> None:
    """Whichever byte of the last frame is wrong, only its record is lost, and counted."""
    path = only_segment(crashed)
    data = bytearray(path.read_bytes())
    for place in range(len(data) - FRAME, len(data)):
        root = crash(path.parent)
        flipped = data.copy()
        flipped[place] ^= 0xFF
        damage(only_segment(root), flipped)
        records, losses = after_restart(root)
        assert records == EXPECTED[:-1]
        assert losses == [Loss(LossReason.TORN, 1, SIZE)]


@pytest.mark.parametrize("bits", [0x01, 0x80, 0xFF])
def test_a_flipped_byte_between_records_loses_one(crashed: Path, bits: int) -> None:
    """Whichever byte of an earlier frame is wrong, reading goes on with the next record."""
    path = only_segment(crashed)
    data = bytearray(path.read_bytes())
    for place in range(HEADER_BYTES + 2 * FRAME, HEADER_BYTES + 3 * FRAME):
        root = crash(path.parent)
        flipped = data.copy()
        flipped[place] ^= bits
        damage(only_segment(root), flipped)
        records, losses = after_restart(root)
        assert records == EXPECTED[:2] + EXPECTED[3:]
        assert losses == [Loss(LossReason.CORRUPT, 1, SIZE)]


def test_a_flipped_byte_in_a_header_loses_nothing(crashed: Path) -> None:
    """The header is written twice."""
    path = only_segment(crashed)
    data = bytearray(path.read_bytes())
    for place in range(HEADER_BYTES):
        root = crash(path.parent)
        flipped = data.copy()
        flipped[place] ^= 0xFF
        damage(only_segment(root), flipped)
        assert after_restart(root) == (EXPECTED, [])


def test_a_header_torn_at_its_creation_is_passed_over(crashed: Path) -> None:
    """A last segment that was being created is as if it had never been, at any length."""
    path = only_segment(crashed)
    header = path.read_bytes()[:HEADER_BYTES]
    last = f"{RECORDS:020d}-{RECORDS * SIZE:020d}.segment"
    for length in range(HEADER_BYTES + 1):
        root = crash(path.parent)
        damage(only_segment(root).with_name(last), header[:length])
        damage(root / path.parent.name / "next", header[:length])
        assert after_restart(root) == (EXPECTED, [])


def broken_segments(spool: Spool) -> Iterator[tuple[Path, range]]:
    """One crash for each segment but the last: that segment's file, and the records in it."""
    starts = [int(path.name.partition("-")[0]) for path in segments(spool.folder)]
    for path, start, end in zip(segments(spool.folder), starts, starts[1:], strict=False):
        root = crash(spool.folder)
        yield root / path.parent.name / path.name, range(start, end)


def test_a_segment_without_header_is_counted(tmp_path: Path) -> None:
    """If both copies of a header are gone, the segment's records are counted as corrupt."""
    with Spool.create(tmp_path / "spool", TINY) as spool:
        append_all(spool, map(record, range(40)))
        for path, gone in broken_segments(spool):
            damage(path, bytes(HEADER_BYTES) + path.read_bytes()[HEADER_BYTES:])
            records, losses = after_restart(path.parent.parent)
            assert records == [record(number) for number in range(40) if number not in gone]
            assert losses == [Loss(LossReason.CORRUPT, len(gone), len(gone) * SIZE)]


def test_the_last_segment_without_header_is_counted(crashed: Path) -> None:
    """An unreadable end is counted in bytes, and as one record at least."""
    path = only_segment(crashed)
    data = path.read_bytes()
    damage(path, bytes(HEADER_BYTES) + data[HEADER_BYTES:])
    records, losses = after_restart(crashed)
    assert records == []
    assert losses == [Loss(LossReason.TORN, 1, len(data) - HEADER_BYTES - FRAME_BYTES)]


@pytest.mark.parametrize("rest", [0, 1, HEADER_BYTES, HEADER_BYTES + FRAME])
def test_a_shortened_segment_is_counted(tmp_path: Path, rest: int) -> None:
    """The rest of a sealed segment is read, and the records that are gone are counted."""
    with Spool.create(tmp_path / "spool", TINY) as spool:
        append_all(spool, map(record, range(40)))
        for path, held in broken_segments(spool):
            os.truncate(path, rest)
            left = range(held.start, held.start + max(0, rest - HEADER_BYTES) // FRAME)
            gone = range(left.stop, held.stop)
            records, losses = after_restart(path.parent.parent)
            assert records == [record(number) for number in range(40) if number not in gone]
            assert [(loss.records, loss.bytes) for loss in losses] == [
                (len(gone), len(gone) * SIZE)
            ]


def test_a_deleted_segment_is_counted_as_missing(tmp_path: Path) -> None:
    """A segment that somebody deletes is a hole in the numbers."""
    with Spool.create(tmp_path / "spool", TINY) as spool:
        append_all(spool, map(record, range(40)))
        for path, gone in broken_segments(spool):
            path.unlink()
            records, losses = after_restart(path.parent.parent)
            assert records == [record(number) for number in range(40) if number not in gone]
            assert losses == [Loss(LossReason.MISSING, len(gone), len(gone) * SIZE)]


@pytest.mark.parametrize("spoil", [Path.unlink, partial(os.truncate, length=0)])
def test_the_spool_starts_without_any_of_its_files(
    tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    """Whichever file is deleted or emptied, what is in the others is read."""
    with Spool.create(tmp_path / "spool", TINY) as spool, spool.reader() as reader:
        append_all(spool, map(record, range(100)))  # Some are dropped, and noted as dropped.
        reader.acknowledge(reader.read(reader.acknowledged, 1, 1).end)
        whole, _ = after_restart(crash(spool.folder))
        names = [path.name for path in spool.folder.iterdir()]
        assert {"lock", "cursor", "dropped"} < set(names)
        for name in names:
            root = crash(spool.folder)
            path = root / spool.folder.name / name
            inside = path.read_bytes()
            spoil(path)
            records, _ = after_restart(root)
            numbers = [int(each.split()[1]) for each in records]
            assert numbers == sorted(set(numbers))
            assert {each for each in whole if each not in inside} <= set(records)


def test_what_was_delivered_is_not_missed(crashed: Path) -> None:
    """If a power failure takes records back that had been delivered, nothing is left to do."""
    with restart(crashed) as spool, spool.reader() as reader:
        acknowledge_all(reader)
        root = crash(spool.folder)
    os.truncate(only_segment(root), HEADER_BYTES + FRAME + 1)
    assert Spool.adopt(root) is None
    assert list(root.iterdir()) == []


def test_a_lost_segment_name_costs_no_promised_record(tmp_path: Path) -> None:
    """A crash between creating a segment and its name reaching the disk loses that segment only.

    Nothing in it had been promised: with power durability, the first append to a segment returns
    after its folder was flushed.
    """
    with Spool.create(tmp_path / "spool", TINY) as spool:
        append_all(spool, map(record, range(20)))
        root = crash(spool.folder)
    max(root.glob("*/*.segment")).unlink()
    records, losses = after_restart(root)
    assert records == list(map(record, range(len(records))))
    assert losses == []


def test_a_torn_spool_can_be_torn_again(crashed: Path) -> None:
    """Losses of crash upon crash add up, even if nothing was appended in between."""
    path = only_segment(crashed)
    os.truncate(path, path.stat().st_size - 1)
    for _ in range(3):
        with restart(crashed) as spool:
            root = crash(spool.folder)
        crashed = root
        last = max(crashed.glob("*/*.segment"))
        with last.open("ab") as file:
            file.write(b"torn")
    records, losses = after_restart(crashed)
    assert records == EXPECTED[:-1]
    assert lost(losses) == {LossReason.TORN: (4, SIZE - 1)}


def test_no_record_can_pose_as_others(crashed: Path) -> None:
    """A record that holds a segment's bytes is one record, also behind damage."""
    hostile = only_segment(crashed).read_bytes()
    with Spool.create(crashed.with_name("hostile"), SMALL) as spool:
        append_all(spool, [b"first", hostile, b"last"])
        root = crash(spool.folder)
    path = only_segment(root)
    data = bytearray(path.read_bytes())
    data[data.index(hostile)] ^= 0xFF
    damage(path, data)
    records, losses = after_restart(root)
    assert records == [b"first", b"last"]
    assert losses == [Loss(LossReason.CORRUPT, 1, len(hostile))]


@hypothesis.settings(deadline=None)
@given(data=st.data())
def test_any_damage_leaves_true_records_in_order(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """Every record that is read was appended, in this order, whichever bytes were changed."""
    with Spool.create(tmp_path_factory.mktemp("spool") / "root", TINY) as spool:
        append_all(spool, map(record, range(40)))
        root = crash(spool.folder)
    for path in root.glob("*/*.segment"):
        content = bytearray(path.read_bytes())
        for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=5)):
            content[place] ^= data.draw(st.integers(1, 255))
        if data.draw(st.booleans()):
            del content[data.draw(st.integers(0, len(content) - 1)) :]
        damage(path, content)
    records, losses = after_restart(root)
    numbers = [int(each.split()[1]) for each in records]
    assert records == list(map(record, numbers))
    assert numbers == sorted(set(numbers))
    known = sum(loss.records for loss in losses if loss.reason is not LossReason.TORN)
    assert len(records) + known <= 40
