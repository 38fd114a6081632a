"""The host's side: takes the levels that its forwarder has left for it.

It looks where the host's messages make it look once a second anyway (`Exchange.sweep`). Only where
messages are not looked at, at `OFF`, a thread looks instead, for as long as that lasts. To look is
to ask for a file's time; only another one is read.
"""

import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from relayscope.instrumentation.delivery.journal.process_journal import place
from relayscope.instrumentation.runtime.fork import on_fork
from relayscope.instrumentation.runtime.shield import shielded
from relayscope.instrumentation.runtime.stderr import say
from relayscope.instrumentation.runtime.timer import SHARE, Timer
from relayscope.instrumentation.traffic.level import Level
from relayscope.instrumentation.traffic.levels import Levels

from .level_log import LevelLog
from .rules import RemoteRules
from .rules_file import Mark, RulesFile
from .rules_status_file import RulesStatus

_LOOK_SECONDS: Final = 1.0
_LONGEST_ERROR: Final = 500


class Steered(Protocol):
    """An object with levels."""

    levels: Levels


class Steering:
    """The levels of one process: its own, and over them what it was given."""

    def __init__(self, steered: Steered, log: LevelLog) -> None:
        self._steered = steered
        self._log = log
        self._own = steered.levels
        self._mark: Mark | None = None
        self._serial = 0
        self._hash = ""
        self._error = ""
        self._given = RemoteRules()
        self._next_end = float("inf")
        self._told: tuple[Path, RulesStatus] | None = None
        self._lock = threading.Lock()
        self._timer = Timer(self._watch, _LOOK_SECONDS * SHARE)
        # After the timer's own, which forgets its thread.
        on_fork(after_in_child=self._after_fork_in_child)

    def take_own(self, own: Levels) -> None:
        """Let other levels be the process's own."""
        with self._lock:
            self._own = own
            self._apply()
        self._watch_if_blind()

    @shielded
    def look(self) -> None:
        """Take new rules and drop those that are over; 5 us if there are none."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            found = place()
            if found is None:
                return
            file = RulesFile(found.root, found.destination)
            mark = file.mark()
            if mark is not None and mark != self._mark:
                self._mark = mark
                self._read(file)
                self._apply()
            elif time.monotonic() >= self._next_end:
                self._apply()
            if found.spool is not None:
                self._tell(found.spool)
        finally:
            self._lock.release()
        self._watch_if_blind()

    def _read(self, file: RulesFile) -> None:
        try:
            given = file.read()
            if given.serial < self._serial:
                raise ValueError("an older file was put back")  # noqa: TRY301  # refused as others are
            self._hash, self._serial = given.hash, given.serial
            # The host's clock may be set; rules end after a time all the same.
            self._given = RemoteRules.read(given.content, time.monotonic() - time.time())
            self._error = ""
        except (OSError, ValueError) as error:
            self._error = str(error)[:_LONGEST_ERROR]
            self._log.refused(self._error)
            say(f"levels from outside are refused: {self._error}")

    def _apply(self) -> None:
        rules = self._given.at(time.monotonic())
        self._next_end = rules.next_end
        before, now = self._steered.levels, rules.over(self._own)
        if now != before:
            self._steered.levels = now
            self._log.changed(before, now, rules)

    def _tell(self, spool: Path) -> None:
        levels = self._steered.levels
        rules = self._given.at(time.monotonic()).rules
        taken = RulesStatus(
            self._hash,
            self._error,
            levels.level.name,
            levels.of_host_logs.name,
            tuple(str(rule) for rule in rules),
        )
        if self._told != (spool, taken):
            with suppress(OSError):  # It is tried again.
                taken.write(spool)
                self._told = (spool, taken)

    def _watch_if_blind(self) -> None:
        if not self._timer.is_running and self._is_blind:
            self._timer.start()

    def _watch(self) -> bool:
        self.look()
        return self._is_blind

    @property
    def _is_blind(self) -> bool:
        """Return whether there are messages that nobody looks at."""
        levels = self._steered.levels
        return Level.OFF in (levels.level, *(rule.level for rule in levels.rules))

    def _after_fork_in_child(self) -> None:
        self._lock = threading.Lock()
        self._watch_if_blind()
