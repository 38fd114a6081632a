"""The slots in a component's folder, and which of their processes have ended."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from relayscope.spool import has_ended, list_slots

LOOK_SECONDS: Final = 0.3
"""Seconds between two looks for processes that have begun or ended."""

_LONGEST_SHARE: Final = 20
"""After a look, so many times as long as it took is waited: to list 5,000 slots takes 50 ms."""

_SETTLED_SECONDS: Final = 1.0
"""A folder that was changed more recently may change once more without showing it."""

_LIST_SECONDS: Final = 60.0
"""Seconds after which the folder is listed anyway: some file systems show no change."""


class Slots:
    """The slots as they are known, brought up to date by `look`.

    Attributes:
        living: Those whose process lives, or that somebody else has adopted.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self.living: set[Path] = set()
        self._known: set[Path] = set()
        self._changed_at = -1.0
        self._look_at = self._list_at = 0.0

    def look(self) -> list[Path]:
        """Look, unless that was just done; return those found to have ended, oldest first."""
        began = time.monotonic()
        if began < self._look_at:
            return []
        if self._may_have_changed(began):
            with suppress(OSError):
                self._list()
        ended = sorted(folder for folder in self.living if has_ended(folder))
        self.living.difference_update(ended)
        took = time.monotonic() - began
        self._look_at = began + took + max(LOOK_SECONDS, _LONGEST_SHARE * took)
        return ended

    def _may_have_changed(self, now: float) -> bool:
        changed_at = 0.0
        with suppress(OSError):
            changed_at = self._root.stat().st_mtime
        if changed_at == self._changed_at and now < self._list_at:
            return False
        is_settled = abs(time.time() - changed_at) > _SETTLED_SECONDS
        self._changed_at = changed_at if is_settled else -1.0
        self._list_at = now + _LIST_SECONDS
        return True

    def _list(self) -> None:
        """List them anew; an OSError leaves what is known, but where the folder is gone."""
        listed = set(list_slots(self._root))
        if not listed:
            # Nobody writes to a folder that is gone, so there is nobody to wait for.
            with suppress(FileNotFoundError):
                list(self._root.iterdir())  # Raises where it cannot be listed for now.
        self.living |= listed - self._known
        self.living &= listed
        self._known = listed
