"""The folder of one writer within the root that several processes share.

A slot is held by an advisory lock on its file ``lock``. It is an orphan once nobody holds it: its
process has ended, in whatever way. What is in a slot::

    lock                            held by the writer
    about                           a description of the writer (see `writer_info`)
    cursor                          the acknowledged position; locked by the reader (see `cursor`)
    dropped                         what was dropped for the bounds (see `drop_log`)
    <sequence>-<offset>.segment     the records (see `segment`)

A reader may keep files of its own beside them; they are deleted with the slot. As long as there is
one whose name begins with `KEPT`, the slot is not delivered.

Folders are private to their user (0700), and so are the files (0600).
"""

import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

from relayscope.spool.errors import SpoolHeld
from relayscope.spool.format.cursor import CURSOR, create_cursor
from relayscope.spool.format.segment import list_segments
from relayscope.spool.format.writer_info import write_writer_info
from relayscope.spool.system.guest_file import GuestFile
from relayscope.spool.system.lock import lock
from relayscope.spool.system.own_files import check_folder, is_ours, open_own
from relayscope.spool.system.syscalls import flush_folder

_LOCK = "lock"
KEPT = "kept-"
"""Begins the name of what a reader has taken over and not delivered: the slot is not deleted."""
_NAME = re.compile(r"\d{20}-\d+-[0-9a-f]{8}", re.ASCII)


class Slot:
    """A slot held by this process."""

    def __init__(self, folder: Path) -> None:
        """Take hold of the slot in ``folder``.

        Raises:
            SpoolHeld: Its process lives, or it was removed at this moment.
            OSError: It cannot be reached.
        """
        self.folder = folder
        self._file = GuestFile(open_own(folder / _LOCK, os.O_RDWR | os.O_CREAT))
        try:
            lock(self._file.descriptor, folder)
            self._check_that_it_still_exists()
        except BaseException:
            self.leave()
            raise

    @classmethod
    def create(cls, root: Path, writer_info: bytes = b"") -> Self:
        """Make a new slot; the root too, if it is missing.

        Args:
            root: The folder to make it in.
            writer_info: Description of the writer for readers.

        Raises:
            OSError: Folder or files cannot be made, or are not ours.
        """
        _make_root(root)
        check_folder(root)
        while True:
            # The name only has to be new, and to sort by age for people and for `orphans`.
            name = f"{time.time_ns():020d}-{os.getpid()}-{secrets.token_hex(4)}"
            folder = root / name
            folder.mkdir(mode=0o700)
            try:
                create_cursor(folder)
                write_writer_info(folder, writer_info)
                slot = cls(folder)
            except (SpoolHeld, FileNotFoundError, FileExistsError):
                continue  # Another process took it for an orphan before it was locked.
            except BaseException:
                _remove_files(folder)
                raise
            return slot

    def leave(self) -> None:
        """Let go of the slot; its files stay."""
        self._file.close()

    @property
    def is_held(self) -> bool:
        """False if the host has closed the lock: anybody may adopt the slot."""
        return self._file.is_open

    def check(self) -> None:
        """Make sure that it is held.

        Raises:
            OSError: The host has closed the lock.
        """
        self._file.check()

    @property
    def is_kept(self) -> bool:
        """True while a reader keeps something in it that is to be delivered."""
        return any(self.folder.glob(f"{KEPT}*"))

    def remove_files(self) -> None:
        """Delete the slot."""
        _remove_files(self.folder)

    def _check_that_it_still_exists(self) -> None:
        held = os.fstat(self._file.descriptor)
        with suppress(FileNotFoundError):
            found = (self.folder / _LOCK).stat()
            if (found.st_ino, found.st_dev) == (held.st_ino, held.st_dev):
                return
        raise SpoolHeld(f"{self.folder} was just removed by another process.")


def _make_root(root: Path) -> None:
    if not root.is_dir():
        _make_root(root.parent)
        root.mkdir(mode=0o700, exist_ok=True)
        flush_folder(root.parent)


def list_slots(root: Path) -> list[Path]:
    """List this user's slots under ``root``, oldest first; none if there is no root."""
    try:
        with os.scandir(root) as entries:
            named = [entry for entry in entries if _NAME.fullmatch(entry.name)]
    except OSError:
        return []
    return sorted(Path(entry.path) for entry in named if _is_slot(entry))


def _is_slot(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir(follow_symlinks=False) and is_ours(entry.stat(follow_symlinks=False))
    except OSError:  # Deleted since it was listed; the others are there all the same.
        return False


def _remove_files(folder: Path) -> None:
    # Segments go before the cursor: without it, they would be delivered again. The lock goes last.
    segments = [segment.path for segment in list_segments(folder)]
    last = [folder / CURSOR, folder / _LOCK]
    with suppress(OSError):
        others = [path for path in folder.iterdir() if path not in {*segments, *last}]
        for path in (*segments, *others, *last):
            with suppress(OSError):
                path.unlink()
        folder.rmdir()
