"""The spool of one process: a queue on disk."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Self

from relayscope.spool.errors import SpoolClosed, SpoolError, from_os
from relayscope.spool.position import Backlog
from relayscope.spool.slot.open_slot import OpenSlot
from relayscope.spool.slot.slot import Slot, list_slots
from relayscope.spool.spool_reader import SpoolReader
from relayscope.spool.spool_settings import SpoolSettings
from relayscope.spool.system import forked_child

_DEFAULTS = SpoolSettings()


class Spool:
    """A queue of records on disk that this process appends to.

    Made by `create` or `adopt`. Thread-safe; appending is safe in signal handlers and finalisers,
    too. A child process that inherits a spool by ``fork`` leaves the parent's alone, and gets its
    own under the same root when it first uses it.

    Close it, or use it as a context manager: if everything was delivered, it is deleted then.
    """

    def __init__(
        self,
        root: Path,
        settings: SpoolSettings,
        open_slot: OpenSlot,
        writer_info: Callable[[], bytes] = bytes,
    ) -> None:
        """Use `create` or `adopt` instead."""
        self._root = root
        self._settings = settings
        self._writer_info = writer_info
        self._starting = RLock()
        self._closed = False
        self._slot: OpenSlot | None = open_slot
        self._append = open_slot.append
        forked_child.on_fork(self)

    @classmethod
    def create(
        cls,
        root: Path,
        settings: SpoolSettings = _DEFAULTS,
        writer_info: Callable[[], bytes] = bytes,
    ) -> Self:
        """Begin a new, empty spool.

        Args:
            root: The folder that the processes share; made if it is missing. On a local disk.
            settings: Promises and bounds.
            writer_info: Called for the bytes that describe this process to a `SpoolReader`, once,
                once more in each forked child that appends, and when the host has closed the files.

        Raises:
            SpoolFull, SpoolUnavailable: Its files cannot be made.
        """
        return cls(root, settings, _create(root, settings, writer_info), writer_info)

    @classmethod
    def adopt(cls, root: Path, settings: SpoolSettings = _DEFAULTS) -> Self | None:
        """Take over the oldest spool whose process has ended; it can be appended to as well.

        Those that were delivered entirely are deleted on the way; those that cannot be opened, or
        that a reader in another process still works on, are passed over.

        Returns:
            The spool, or None if none is left.
        """
        for folder in list_slots(root):
            with suppress(SpoolError):
                spool = cls.adopt_from(folder, settings)
                if spool is not None:
                    return spool
        return None

    @classmethod
    def adopt_from(cls, folder: Path, settings: SpoolSettings = _DEFAULTS) -> Self | None:
        """Take over the spool in one folder, whose process has ended.

        Returns:
            The spool, or None if everything was delivered: then it is deleted.

        Raises:
            SpoolHeld: Its process lives, or somebody else has adopted it or reads it.
            SpoolUnavailable: It cannot be opened.
        """
        spool = cls.take_over(folder, settings)
        if not spool._open_slot().delivered:  # noqa: SLF001  # its own class
            return spool
        spool.close()
        return None

    @classmethod
    def take_over(cls, folder: Path, settings: SpoolSettings = _DEFAULTS) -> Self:
        """Take over the spool in one folder, whose process has ended, also if all was delivered.

        Raises:
            SpoolHeld, SpoolUnavailable: As `adopt_from`.
        """
        try:
            open_slot = OpenSlot(Slot(folder), settings)
            try:
                SpoolReader(folder).close()
                return cls(folder.parent, settings, open_slot)
            except BaseException:
                open_slot.close()
                raise
        except OSError as error:
            raise from_os(error, f"adopt the spool {folder}") from error

    @property
    def folder(self) -> Path:
        """The spool's own folder, which a `SpoolReader` in another process opens."""
        return self._open_slot().folder

    def append(self, record: bytes) -> None:
        """Append a record; what it survives from then on, `SpoolSettings.durability` says.

        Raises:
            SpoolFull: There is no room on the disk or, with ``REFUSE_NEW``, within the bounds.
            SpoolUnavailable: The disk refuses.
            RecordTooLarge: It exceeds the bounds of even an empty spool.
            SpoolClosed: The spool was closed.
        """
        self._append(record)

    def append_later(self, job: Callable[[], object]) -> None:
        """Call ``job`` now; with ``WINDOW`` within it, mostly on a thread of the spool's.

        It makes a record and appends it, and may not raise: the thread that has something to
        record need not wait for the making.

        Raises:
            SpoolFull, SpoolUnavailable, SpoolClosed: There is no spool to append to.
        """
        self._open_slot().append_later(job)

    def flush(self) -> None:
        """With ``WINDOW``, hand what is in memory to the operating system now.

        Raises:
            SpoolFull, SpoolUnavailable: The disk refuses; it stays in memory, and is tried again.
        """
        self._open_slot().flush()

    def reader(self) -> SpoolReader:
        """Open the spool for reading.

        Raises:
            SpoolHeld: It has a reader already.
            SpoolUnavailable: The disk refuses.
        """
        return SpoolReader(self.folder)

    def backlog(self) -> Backlog:
        """Measure the records that wait to be acknowledged."""
        return self._open_slot().backlog()

    def close(self) -> None:
        """Write what is in memory, and let go of the spool; delete it if all was delivered.

        Raises:
            SpoolFull, SpoolUnavailable: The disk refuses what was in memory: that is lost.
        """
        with self._starting:
            open_slot, self._slot = self._slot, None
            self._closed = True
            self._append = self._open_and_append
        if open_slot is not None:
            open_slot.close()

    def discard(self) -> None:
        """Delete the spool with everything in it; for what a reader cannot get at any more.

        When the last record is torn and the disk has no room for the segment that says so, the
        reader finds nothing to read, although `backlog` has a record.
        """
        with self._starting:
            open_slot, self._slot = self._slot, None
            self._closed = True
            self._append = self._open_and_append
        if open_slot is not None:
            open_slot.discard()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def after_fork_in_child(self) -> None:
        """Leave the spool to the parent process; the next use begins a new one."""
        self._starting = RLock()
        if self._slot is not None:
            self._slot.leave_to_parent()
            self._slot = None
            self._append = self._open_and_append

    def _open_and_append(self, record: bytes) -> None:
        self._open_slot().append(record)

    def _open_slot(self) -> OpenSlot:
        open_slot = self._slot
        if open_slot is None:
            with self._starting:
                if self._closed:
                    raise SpoolClosed("This spool was closed.")
                open_slot = self._slot
                if open_slot is None:
                    open_slot = self._slot = _create(self._root, self._settings, self._writer_info)
                    self._append = open_slot.append
        return open_slot


def _create(root: Path, settings: SpoolSettings, writer_info: Callable[[], bytes]) -> OpenSlot:
    def create() -> Slot:
        return Slot.create(root, writer_info())

    try:
        return OpenSlot(create(), settings, create)
    except OSError as error:
        raise from_os(error, f"make a spool in {root}") from error
