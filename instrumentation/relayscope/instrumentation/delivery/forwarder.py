"""Sends what is in the spools of a component to the collector, outside the host's processes."""

import logging
import random
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from relayscope.spool import Reader, Settings, Spool, SpoolError, list_slots, orphans

from .destination import Destination, Misconfigured, Unavailable
from .lane import Lane
from .trouble import Trouble, TroubleFile

_log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.2
"""How often the spools are looked at while nothing is in them, and so how long the first record
after a silence waits."""

_FIND_SECONDS: Final = 0.3
"""How often the folder is searched for processes that have begun or ended."""

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0
"""Seconds between tries while the collector is away, doubled each time: a developer who starts it
sees what was said meanwhile within the longer one."""
_LONGEST_REQUESTED_PAUSE: Final = 300.0
_JITTER: Final = 0.2

LINGER_SECONDS: Final = 5.0
"""How long a forwarder goes on trying after the last process has ended. What waits then is left to
the next one; a process that stays for ever would be a strange thing to find."""

_NOBODY: Final = "flush"
"""In whose name trouble is told of where there is no living process to work for."""


class Forwarder:
    """The spools in one folder, and where they go."""

    def __init__(
        self,
        root: Path,
        destination: Destination,
        name: str | None,
        settings: Settings,
        delay: float = 0.0,
    ) -> None:
        """Take a folder.

        Args:
            root: The folder of a component's spools.
            destination: Where they go.
            name: The `destination_digest` of the processes to work for; None for no living one.
                Those that have ended are anybody's.
            settings: Bounds of the spools.
            delay: Seconds between two requests for living processes, unless a lane is behind.
        """
        self._root = root
        self._destination = destination
        self._name = name
        self._settings = settings
        self._delay = delay
        self._living: dict[Path, Lane] = {}
        self._adopted: list[tuple[Spool, Lane]] = []
        self._given_up: set[Path] = set()
        self._pause = 0.0
        self._find_at = 0.0
        self._trouble_file = TroubleFile(root, name or _NOBODY)
        self._is_told = True
        self.sent = 0

    def run(self, linger: float = LINGER_SECONDS) -> None:
        """Work until all processes have ended and all is sent, or nothing moves for so long."""
        moved_at = time.monotonic()
        while True:
            sent = self.sent
            goes_on = self.round()
            if self.sent > sent or self._living:
                moved_at = time.monotonic()
            if not self._living and (not self._adopted or time.monotonic() - moved_at > linger):
                return
            if self._pause:
                time.sleep(min(self._pause, linger) if not self._living else self._pause)
            elif not goes_on:
                time.sleep(self._delay if self.sent > sent else _LOOK_SECONDS)

    def round(self) -> bool:
        """Send the next requests of each spool; return whether more are to follow at once."""
        self._find()
        self._finish()
        goes_on = False
        sent = self.sent
        try:
            lanes = [*self._living.values(), *(lane for _, lane in self._adopted)]
            for lane in lanes:
                if lane.folder in self._given_up:
                    continue
                goes_on |= self._forward(lane)
        except Unavailable as error:
            self._wait_longer(error)
        else:
            self._pause = 0.0
        if self.sent > sent and self._is_told:
            self._end_trouble()
        return goes_on

    def finds_living(self) -> bool:
        """Whether there is a process to work for."""
        self._find()
        return bool(self._living)

    def close(self) -> None:
        """Let go of all spools; those that were delivered are deleted."""
        for lane in self._living.values():
            lane.close()
        for spool, lane in self._adopted:
            lane.close()
            spool.close()
        self._living, self._adopted = {}, []

    def _forward(self, lane: Lane) -> bool:
        try:
            sent = lane.forward(self._destination)
        except Unavailable:
            raise
        except SpoolError as error:
            raise Unavailable(str(error)) from error
        except Exception:  # noqa: BLE001  # whatever damage may do to a file
            # Its records stay where they are, and all others still arrive.
            _log.exception("a spool is left alone from now on: %s", lane.folder)
            self._given_up.add(lane.folder)
            return False
        self.sent += sent or 0
        # A process that has ended appends nothing for which to wait.
        is_living = lane.folder in self._living
        return lane.is_behind if is_living else sent is not None

    def _find(self) -> None:
        """Find the spools of new processes, and adopt those of processes that have ended."""
        if time.monotonic() < self._find_at:
            return
        self._find_at = time.monotonic() + _FIND_SECONDS
        slots = list_slots(self._root)
        for folder in set(self._living) - set(slots):
            self._living.pop(folder).close()
        ended = orphans(self._root)
        for folder in ended:
            if folder in self._living:
                self._living.pop(folder).close()
        held = {spool.folder for spool, _ in self._adopted}
        for folder in slots:
            if folder not in ended and folder not in held and folder not in self._living:
                self._join(folder)
        if ended:
            self._adopt()

    def _join(self, folder: Path) -> None:
        if self._name is None:
            return
        try:
            lane = Lane(Reader(folder), self._root.name)
        except SpoolError:
            return  # Another forwarder reads it, or it has just gone.
        if lane.origin.destination in {self._name, ""}:
            self._living[folder] = lane
        else:
            lane.close()

    def _adopt(self) -> None:
        while (spool := Spool.adopt(self._root, self._settings)) is not None:
            try:
                lane = Lane(spool.reader(), self._root.name)
            except SpoolError as error:
                _log.warning("%s", error)
                spool.close()
                return
            self._adopted.append((spool, lane))

    def _finish(self) -> None:
        """Delete adopted spools of which everything has been delivered."""
        for spool, lane in list(self._adopted):
            waiting = spool.backlog().records
            if lane.busy or (waiting and not lane.idle):
                continue
            if waiting and not lane.rest_is_lost:
                # Nothing can be read, and its process appends nothing more.
                lane.lose_rest(waiting)
                continue
            self._adopted.remove((spool, lane))
            lane.close()
            if waiting:
                spool.discard()
            else:
                spool.close()

    def _wait_longer(self, error: Unavailable) -> None:
        if not self._pause:
            _log.warning("records wait in %s: %s", self._root, error)
        self._begin_trouble(error)
        pause = min(max(2 * self._pause, _FIRST_PAUSE), _LONGEST_PAUSE)
        if error.retry_after is not None:
            pause = min(error.retry_after, _LONGEST_REQUESTED_PAUSE)
        self._pause = pause * random.uniform(1 - _JITTER, 1 + _JITTER)  # noqa: S311  # no secret

    def _begin_trouble(self, error: Unavailable) -> None:
        trouble = Trouble.now(str(error), is_refusal=isinstance(error, Misconfigured))
        before = self._trouble_file.read()
        self._is_told = True
        if before is not None and before.is_refusal and not trouble.is_refusal:
            return  # gRPC says by turns that the certificates do not fit, and that nobody is there.
        if before is not None and before.is_refusal == trouble.is_refusal:
            trouble = replace(trouble, since=before.since)
        self._trouble_file.write(trouble)

    def _end_trouble(self) -> None:
        # What an earlier forwarder has said counts no more, either.
        self._is_told = False
        self._trouble_file.clear()
