"""Requests that a receiver does not take in time, set aside so that those behind them go on.

Each is a file of its own beside the spool, which is not deleted while there is one. Its bytes stay
the same: a receiver that has stored them after all knows them again, and says so at once.
"""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from io import FileIO
from pathlib import Path
from typing import Final
from zlib import crc32

import msgpack

from relayscope.instrumentation.delivery.encoding.otlp import Request, Signal, split
from relayscope.spool import KEPT, open_own, read_own

_CHECKSUM_BYTES: Final = 4

_SAME_TRIES: Final = 3
_SAME_TIMES: Final = 6
"""Tries of a whole request before it is halved, and the time for them as a multiple of the first
try's. A receiver may go on with one that it has given up answering: as long as it does, it knows
the same bytes again, and would not know their halves."""

_LONGEST_PAUSE: Final = 300.0
_LONGEST_PAUSE_OF_MANY: Final = 4.0
"""Seconds; as long as something can still be halved, no forwarder ends for want of movement."""

_MOST: Final = 16
"""Requests that are aside at a time: 4 MiB each."""


@dataclass(slots=True)
class Part:
    """The rest of a request: all of it, or a half of a half.

    Attributes:
        request: The request to send.
        tries: Number of failed tries.
        tried_at: Time of the last of them, in seconds of the wall clock.
        halve_at: Time from which it may be halved; zero before it was tried.
    """

    request: Request
    tries: int
    tried_at: float
    halve_at: float = 0.0

    @property
    def seconds_left(self) -> float:
        """Seconds until it is to be tried again; a clock that was set back adds none."""
        longest = _LONGEST_PAUSE if self.request.records == 1 else _LONGEST_PAUSE_OF_MANY
        pause = min(2.0 ** (self.tries - 1), longest)
        return min(self.tried_at + pause - time.time(), pause)

    def put_off(self, took: float) -> "list[Part]":
        """Return the parts to send after one more try in vain: after a while, the halves.

        Args:
            took: Seconds that the try took.
        """
        now = time.time()
        tries = self.tries + 1
        halve_at = self.halve_at or now + (_SAME_TIMES - 1) * took
        if self.request.records > 1 and tries >= _SAME_TRIES and now >= halve_at:
            return [Part(half, 0, now) for half in split(self.request)]
        return [Part(self.request, tries, now, halve_at)]


class SetAsideRequest:
    """A request that was set aside, in a file: the parts that are left of it."""

    def __init__(self, path: Path) -> None:
        """Take over a file, or the place for one."""
        self.path = path
        self._due_at = 0.0

    @property
    def seconds_left(self) -> float:
        """Seconds until a part is tried again; a forwarder that has just begun tries at once."""
        return self._due_at - time.monotonic()

    def load(self) -> list[Part]:
        """Return the parts.

        Raises:
            OSError: They cannot be read.
            ValueError: They are damaged.
        """
        data = read_own(self.path)
        packed = data[_CHECKSUM_BYTES:]
        if crc32(packed).to_bytes(_CHECKSUM_BYTES, "little") != data[:_CHECKSUM_BYTES]:
            raise ValueError(f"{self.path} is damaged")
        parts = [
            Part(Request(Signal(signal), records, body), *tried[:3])
            for signal, records, body, *tried in msgpack.unpackb(packed)
        ]
        self._note(parts)
        return parts

    def keep(self, parts: Sequence[Part]) -> None:
        """Keep these parts, in place of those that were there.

        Raises:
            OSError: The disk refuses; those that were there stay.
        """
        packed: bytes = msgpack.packb(
            [
                (
                    each.request.signal.value,
                    *each.request[1:],
                    each.tries,
                    each.tried_at,
                    each.halve_at,
                )
                for each in parts
            ]
        )
        # Whole or not at all: a request that was halved in part would be there twice.
        new = self.path.with_name(f"new-{self.path.name}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with FileIO(open_own(new, flags), "w") as file:
            rest = memoryview(crc32(packed).to_bytes(_CHECKSUM_BYTES, "little") + packed)
            while rest:
                rest = rest[file.write(rest) or 0 :]
        new.replace(self.path)
        self._note(parts)

    def _note(self, parts: Sequence[Part]) -> None:
        self._due_at = time.monotonic() + min(part.seconds_left for part in parts)


class SetAsideRequests:
    """Those of one spool."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._all = {path.name: SetAsideRequest(path) for path in sorted(folder.glob(f"{KEPT}*"))}

    def __iter__(self) -> Iterator[SetAsideRequest]:
        return iter(list(self._all.values()))

    def __bool__(self) -> bool:
        return bool(self._all)

    def __contains__(self, request: Request) -> bool:
        return _name(request) in self._all

    @property
    def has_room(self) -> bool:
        """True while one more may be set aside."""
        return len(self._all) < _MOST

    def add(self, request: Request, took: float) -> None:
        """Set a request aside, which was tried in vain.

        Args:
            request: The request.
            took: Seconds that the try took.

        Raises:
            OSError: The disk refuses.
        """
        name = _name(request)
        aside = SetAsideRequest(self._folder / name)
        aside.keep(Part(request, 0, 0.0).put_off(took))
        self._all[name] = aside

    def remove(self, aside: SetAsideRequest) -> None:
        """Remove one of which nothing is left.

        Raises:
            OSError: The disk refuses.
        """
        aside.path.unlink()
        del self._all[aside.path.name]


def records_aside(folder: Path) -> int:
    """Return how many records of a spool are set aside."""
    total = 0
    for path in folder.glob(f"{KEPT}*"):
        with suppress(OSError, ValueError):
            total += sum(part.request.records for part in SetAsideRequest(path).load())
    return total


def _name(request: Request) -> str:
    return KEPT + sha256(request.body).hexdigest()[:16]
