"""Spools of processes that have ended: a few at a time, the oldest first."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from relayscope.instrumentation.delivery.origin import Origin
from relayscope.spool import Spool, SpoolError, SpoolSettings, is_running, read_writer_info

from .spool_sender import SpoolSender

_log = logging.getLogger(__name__)

_IN_HAND: Final = 8
"""Spools at a time: three open files each, and 4 MiB where a request of theirs is kept."""

_TRIES: Final = 64
"""Spools that are looked at in one round, where those before them are in use."""


_PATIENCE_SECONDS: Final = 5.0
_LATER_SECONDS: Final = 60.0
"""A spool of which all that is left is set aside makes room for others, and comes again."""


class LeftOverSpools:
    """Spools that a forwarder has adopted, and those that it is going to adopt.

    Attributes:
        in_hand: The senders of spools that are being sent.
    """

    def __init__(
        self, component: str, settings: SpoolSettings, is_ours: Callable[[Origin], bool]
    ) -> None:
        """Have none.

        Args:
            component: The component whose spools they are.
            settings: Bounds of the spools.
            is_ours: True if the records of a process may go where the forwarder sends to.
        """
        self._component = component
        self._settings = settings
        self._is_ours = is_ours
        self._next: deque[Path] = deque()
        self._later: deque[tuple[float, Path]] = deque()
        self._spools: dict[Path, tuple[Spool, SpoolSender]] = {}

    @property
    def in_hand(self) -> list[SpoolSender]:
        """The senders of spools that are being sent, oldest first."""
        return [sender for _, sender in self._spools.values()]

    def __bool__(self) -> bool:
        """Return whether there is something to send now."""
        return bool(self._spools or self._next)

    def add(self, folders: Iterable[Path]) -> None:
        """Remember spools whose processes have ended; what is empty is deleted at once."""
        for folder in folders:
            origin = Origin.unpack(read_writer_info(folder))
            if origin is not None and not self._is_ours(origin):
                continue
            if any(folder.glob("*.segment")):
                self._next.append(folder)
            else:
                self._delete(folder)

    def take(self) -> None:
        """Adopt the next ones, as far as there is room for them."""
        while self._later and self._later[0][0] < time.monotonic():
            self._next.append(self._later.popleft()[1])
        for _ in range(min(_TRIES, len(self._next))):
            if len(self._spools) >= _IN_HAND:
                return
            self._adopt(self._next.popleft())

    def finish(self) -> None:
        """Delete those of which everything has been delivered."""
        for spool, sender in list(self._spools.values()):
            waiting = spool.backlog().records
            if sender.busy or (waiting and not sender.idle):
                continue
            if waiting and not sender.rest_is_lost:
                # Nothing can be read, and its process appends nothing more.
                sender.lose_rest(waiting)
                continue
            if sender.has_aside:
                if sender.seconds_left > _PATIENCE_SECONDS:
                    self._later.append((time.monotonic() + _LATER_SECONDS, sender.folder))
                    self.release(sender)
            elif waiting:
                del self._spools[sender.folder]
                sender.close()
                spool.discard()
            elif sender.owes_an_end and self._is_gone(sender.origin):
                sender.end_for()
            else:
                self.release(sender)

    def release(self, sender: SpoolSender) -> None:
        """Let go of a spool, which is deleted if everything was delivered."""
        spool, _ = self._spools.pop(sender.folder)
        sender.close()
        with suppress(SpoolError):
            spool.close()

    def close(self) -> None:
        """Let go of all."""
        for sender in self.in_hand:
            self.release(sender)
        self._next.clear()
        self._later.clear()

    def _is_gone(self, origin: Origin) -> bool:
        """Return whether the process of a spool is, unless it may have gone on in another spool.

        Hosts close descriptors that they do not know, and a process goes on in another slot then.
        """
        spools = [sender for sender in self.in_hand if sender.origin.identity == origin.identity]
        return len(spools) == 1 and not is_running(origin.pid)

    def _delete(self, folder: Path) -> None:
        """Delete a spool, or take it later if there is something in it after all."""
        with suppress(SpoolError):
            spool = Spool.adopt_from(folder, self._settings)
            if spool is None:
                return
            spool.close()
        self._next.append(folder)

    def _adopt(self, folder: Path) -> None:
        spool = reader = None
        try:
            spool = Spool.take_over(folder, self._settings)
            reader = spool.reader()
            self._spools[folder] = spool, SpoolSender(reader, self._component)
        except ValueError as error:
            _log.error("%s", error)  # no bug
            if reader is not None:
                reader.close()
            if spool is not None:
                with suppress(SpoolError):
                    spool.close()
        except SpoolError as error:
            if spool is not None:
                spool.close()
            # It may be in use for the moment, or there may be too many open files.
            if folder.exists():
                _log.debug("%s", error)
                self._next.append(folder)
