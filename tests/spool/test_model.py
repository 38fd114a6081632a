"""A spool agrees with a list, after any actions in any order."""

import os
import shutil
import tempfile
from pathlib import Path

import hypothesis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from relayscope.spool import (
    START,
    LossReason,
    Overflow,
    Position,
    Spool,
    SpoolFull,
    SpoolReader,
    SpoolSettings,
)
from relayscope.spool.format.frame import FRAME_BYTES
from relayscope.spool.format.segment import HEADER_BYTES
from tests.examples import examples
from tests.spool.spools import crash, record, segments

MIB = 1 << 20
BOUND = 4096


class SpoolAgainstList(RuleBasedStateMachine):
    """The spool under test, and the list of all records that were ever appended to it.

    In the list, None stands for a record that was torn: it has a number, and is lost.
    """

    records: list[bytes | None]
    torn_name: str
    acknowledged: Position
    reader: SpoolReader
    spool: Spool

    @initialize(overflow=st.sampled_from(Overflow))
    def begin(self, overflow: Overflow) -> None:
        """Make an empty spool with either policy."""
        self.base = Path(tempfile.mkdtemp())
        self.settings = SpoolSettings(max_bytes=BOUND, overflow=overflow)
        self.create(self.base / "root")

    def teardown(self) -> None:
        """Leave nothing behind."""
        self.close()
        shutil.rmtree(self.base)

    @rule(size=st.integers(20, 400))
    def append(self, size: int) -> None:
        """Append a record, or be refused."""
        new = record(len(self.records), size)
        self.note_whether_records_may_be_dropped(size)
        try:
            self.spool.append(new)
        except SpoolFull:
            assert self.settings.overflow is Overflow.REFUSE_NEW
            assert self.disk_bytes() + HEADER_BYTES + FRAME_BYTES + size > BOUND
        else:
            assert self.disk_bytes() <= BOUND
            self.records.append(new)

    @rule(max_records=st.integers(1, 10), share=st.floats(0, 1))
    def read_and_acknowledge(self, max_records: int, share: float) -> None:
        """Read a batch, and acknowledge it wholly or in part."""
        batch = self.reader.read(self.acknowledged, max_records, MIB)
        self.acknowledged = batch.position_after(round(share * len(batch.records)))
        self.reader.acknowledge(self.acknowledged)

    @rule()
    def restart(self) -> None:
        """Close the spool and adopt it again."""
        self.close()
        self.adopt(self.root)

    @rule()
    def die(self) -> None:
        """Lose the process, and nothing else."""
        self.adopt(self.die_leaving_files())

    @rule(garbage=st.binary(min_size=1, max_size=100))
    @precondition(lambda self: bool(segments(self.spool.folder)))
    def die_while_appending(self, garbage: bytes) -> None:
        """Lose the process in the middle of an append."""
        root = self.die_leaving_files()
        last = self.last_segment(root)
        if last.name != self.torn_name:  # Nothing is appended to a torn segment.
            with last.open("ab") as file:
                file.write(garbage)
            self.records.append(None)
            self.torn_name = last.name
            self.possible_losses.add(LossReason.TORN)
        self.adopt(root)

    @rule(cut=st.integers(1, 35))
    @precondition(lambda self: self.records and self.records[-1] is not None)
    def lose_power(self, cut: int) -> None:
        """Lose the process, and the end of the last record that had been appended."""
        delivered = self.acknowledged.sequence == len(self.records)
        root = self.die_leaving_files()
        last = self.last_segment(root)
        if last.stat().st_size > HEADER_BYTES:
            os.truncate(last, last.stat().st_size - cut)
            if not delivered:
                self.records[-1] = None
                self.possible_losses.add(LossReason.TORN)
        self.adopt(root)

    @rule()
    @precondition(lambda self: len(segments(self.spool.folder)) > 1)
    def lose_a_file(self) -> None:
        """Have somebody delete the oldest segment."""
        segments(self.spool.folder)[0].unlink()
        self.possible_losses.add(LossReason.MISSING)

    @invariant()
    def everything_is_read_or_lost(self) -> None:
        """From the acknowledged position to the end, each record is read, or counted as lost."""
        assert self.reader.acknowledged == self.acknowledged
        position = self.acknowledged
        while (batch := self.reader.read(position, 1000, MIB)).end != position:
            first = batch.start.sequence
            assert batch.records == self.records[first : first + len(batch.records)]
            assert first - position.sequence == sum(loss.records for loss in batch.losses)
            assert batch.start.offset - position.offset == sum(loss.bytes for loss in batch.losses)
            assert {loss.reason for loss in batch.losses} <= self.possible_losses
            position = batch.end
        assert position.sequence == len(self.records)

    def create(self, root: Path) -> None:
        """Begin with nothing."""
        self.records = []
        self.torn_name = ""
        self.possible_losses: set[LossReason] = set()
        self.acknowledged = START
        self.root = root
        self.spool = Spool.create(root, self.settings)
        self.reader = self.spool.reader()

    def adopt(self, root: Path) -> None:
        """Go on with what was left under ``root``; nothing is, if all was delivered."""
        self.root = root
        self.note_whether_records_may_be_dropped(0)
        spool = Spool.adopt(root, self.settings)
        assert (spool is None) == (self.acknowledged.sequence == len(self.records))
        if spool is None:
            self.create(root)
        else:
            self.spool = spool
            self.reader = spool.reader()

    def close(self) -> None:
        """Let go of the spool."""
        self.reader.close()
        self.spool.close()

    def die_leaving_files(self) -> Path:
        """A root with the files as they are now."""
        root = crash(self.spool.folder)
        self.close()
        return root

    def last_segment(self, root: Path) -> Path:
        """The segment that was being written."""
        (folder,) = root.iterdir()
        return segments(folder)[-1]

    def disk_bytes(self) -> int:
        """Bytes of all segments."""
        return sum(path.stat().st_size for path in self.root.rglob("*.segment"))

    def note_whether_records_may_be_dropped(self, size: int) -> None:
        """A spool drops records only if the next segment would not fit into its bound."""
        needed = max(self.settings.segment_bytes, HEADER_BYTES + FRAME_BYTES + size)
        if self.settings.overflow is Overflow.DROP_OLDEST and self.disk_bytes() + needed > BOUND:
            self.possible_losses.add(LossReason.SIZE)


SpoolAgainstList.TestCase.settings = hypothesis.settings(
    deadline=None, max_examples=examples(40), stateful_step_count=40
)
test_a_spool_agrees_with_a_list = SpoolAgainstList.TestCase
