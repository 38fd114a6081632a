"""Sends the records in a component's spools to the collector, outside the host's processes."""

import logging
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from relayscope.instrumentation.delivery.destinations.destination import (
    Destination,
    Misconfigured,
    Unavailable,
)
from relayscope.instrumentation.delivery.origin import Origin
from relayscope.instrumentation.delivery.trouble import Trouble, TroubleFile
from relayscope.spool import SpoolError, SpoolReader, SpoolSettings, bound_orphans, read_writer_info

from .left_over_spools import LeftOverSpools
from .slots import Slots
from .spool_sender import SpoolSender

_log = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.2
"""Seconds between two looks at empty spools, and so the longest wait of the first record after a
silence."""

_BOUND_SECONDS: Final = 60.0
"""Seconds between two checks that left-over spools keep their bound; 5,000 spools take 0.2 s."""

_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 5.0
"""Seconds between tries while the collector is away, doubled each time: a developer who starts it
sees what was said meanwhile within the longer one."""
_LONGEST_REQUESTED_PAUSE: Final = 300.0
_JITTER: Final = 0.2

LINGER_SECONDS: Final = 5.0
"""Seconds for which a forwarder goes on trying after the last process has ended. Records that wait
then are left to the next one; a process that stays for ever would be a strange thing to find."""

_NOBODY: Final = "flush"
"""Name under which trouble is reported where there is no living process to work for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clients:
    """The processes that a forwarder works for.

    Attributes:
        name: The `destination_digest` of living ones; None for no living one.
        addresses: The destinations of those that have ended.
        delay: Seconds between two requests for living ones, unless a sender is behind.
    """

    name: str | None
    addresses: frozenset[str]
    delay: float = 0.0


class Forwarder:
    """The spools in one folder, and where they go."""

    def __init__(
        self, root: Path, destination: Destination, clients: Clients, settings: SpoolSettings
    ) -> None:
        """Take a folder.

        Args:
            root: The folder of a component's spools.
            destination: The receiver of the spools' records.
            clients: The processes whose spools are sent.
            settings: Bounds of the spools.
        """
        self._root = root
        self._destination = destination
        self._clients = clients
        self._settings = settings
        self._slots = Slots(root)
        self._living: dict[Path, SpoolSender] = {}
        self._leftovers = LeftOverSpools(root.name, settings, self._is_meant_for_us)
        self._strange: set[Path] = set()
        self._pause = 0.0
        self._bound_at = 0.0
        self._ended_at: Path | None = None
        self._trouble_file = TroubleFile(root, clients.name or _NOBODY)
        self._is_told = True
        self.sent = 0

    def run(self, linger: float = LINGER_SECONDS) -> None:
        """Work until all processes have ended and all is sent, or nothing moves for so long."""
        moved_at = time.monotonic()
        while True:
            sent = self.sent
            goes_on = self.round()
            if goes_on or self.sent > sent or self._living:
                moved_at = time.monotonic()
            if not self._living and (not self._leftovers or time.monotonic() - moved_at > linger):
                return
            if self._pause:
                time.sleep(min(self._pause, linger) if not self._living else self._pause)
            elif not goes_on:
                time.sleep(self._clients.delay if self.sent > sent else _LOOK_SECONDS)

    def round(self) -> bool:
        """Send the next requests of each spool; return whether more are to follow at once."""
        self._find()
        self._leftovers.finish()
        self._leftovers.take()
        goes_on = False
        sent = self.sent
        try:
            for sender in self._in_turn():
                goes_on |= self._forward(sender)
        except Unavailable as error:
            self._wait_longer(error)
        else:
            self._pause = 0.0
        if self.sent > sent and self._is_told:
            self._end_trouble()
        return goes_on

    def living(self) -> dict[Path, Origin]:
        """Return the processes that it works for, by their spools; other threads may ask, too."""
        return {folder: sender.origin for folder, sender in list(self._living.items())}

    def _in_turn(self) -> Iterator[SpoolSender]:
        """Yield all senders, beginning behind the one at which the last round ended."""
        senders = {
            sender.folder: sender for sender in [*self._living.values(), *self._leftovers.in_hand]
        }
        folders = list(senders)
        first = folders.index(self._ended_at) + 1 if self._ended_at in senders else 0
        for folder in [*folders[first:], *folders[:first]]:
            self._ended_at = folder
            yield senders[folder]

    def finds_living(self) -> bool:
        """Return whether there is a process to work for."""
        self._find()
        return bool(self._living)

    def close(self) -> None:
        """Let go of all spools; those that were delivered are deleted."""
        for sender in self._living.values():
            sender.close()
        self._living = {}
        self._leftovers.close()

    def _forward(self, sender: SpoolSender) -> bool:
        try:
            sent = sender.forward(self._destination)
        except Unavailable:
            raise
        except (SpoolError, OSError) as error:
            raise Unavailable(str(error)) from error
        except Exception:  # noqa: BLE001  # whatever damage may do to a file
            # Its records stay where they are, and all others still arrive.
            _log.exception("a spool is left alone from now on: %s", sender.folder)
            self._leave_alone(sender)
            return False
        self.sent += sent or 0
        # A process that has ended appends nothing for which to wait.
        is_living = sender.folder in self._living
        return sender.is_behind if is_living else sent is not None

    def _find(self) -> None:
        """Find the spools of new processes, and those of processes that have ended."""
        ended = self._slots.look()
        for folder in self._living.keys() - self._slots.living:
            self._living.pop(folder).close()
        if self._clients.name is not None:
            for folder in sorted(self._slots.living - self._living.keys() - self._strange):
                self._join(folder)
        if ended:
            if time.monotonic() >= self._bound_at:
                self._bound_at = time.monotonic() + _BOUND_SECONDS
                bound_orphans(self._root, self._settings)
            self._leftovers.add(folder for folder in ended if folder not in self._strange)

    def _join(self, folder: Path) -> None:
        origin = Origin.unpack(read_writer_info(folder))
        if origin is not None and origin.destination not in {self._clients.name, ""}:
            return
        try:
            reader = SpoolReader(folder)
        except SpoolError:
            return  # Another forwarder reads it, or it has just gone.
        try:
            self._living[folder] = SpoolSender(reader, self._root.name)
        except ValueError as error:
            _log.error("%s", error)  # no bug
            self._strange.add(folder)
            reader.close()

    def _is_meant_for_us(self, origin: Origin) -> bool:
        # Where a spool does not say it, nobody knows better.
        return origin.address in {*self._clients.addresses, ""}

    def _leave_alone(self, sender: SpoolSender) -> None:
        self._strange.add(sender.folder)
        if self._living.pop(sender.folder, None) is None:
            self._leftovers.release(sender)
        else:
            sender.close()

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
