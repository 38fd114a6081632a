"""The requests that are being sent, on disk before the first byte leaves.

A forwarder that dies between the collector's commit and its own note of the acknowledgement has to
send the very same bytes again, because that is how the collector knows a repeated request; so the
bytes are kept, beside the spool that they come from. If the disk has no room for them, they are
sent nevertheless: then only a forwarder that dies at that moment makes a second copy.
"""

import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from typing import Final
from zlib import crc32

import msgpack

from relayscope.spool import Position

from .otlp import Request, Signal
from .tally import Tally

_log = logging.getLogger(__name__)

_NAME: Final = "outbox"
_CHECKSUM_BYTES: Final = 4


@dataclass(slots=True)
class Consignment:
    """What is sent at one time, and how far the spool is delivered then.

    Attributes:
        end: The position in the spool to acknowledge after the last request.
        tally: The totals without these requests.
        requests: What remains to be sent.
        untold: Whether the process's account follows them.
    """

    end: Position
    tally: Tally
    requests: list[Request] = field(default_factory=list)
    untold: bool = False


class Outbox:
    """The file ``outbox`` in the folder of a spool."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _NAME

    def save(self, consignment: Consignment) -> None:
        """Keep a consignment, in place of the one before it."""
        end, requests = consignment.end, consignment.requests
        data: bytes = msgpack.packb(
            (
                (end.sequence, end.offset),
                consignment.tally.pack(),
                [(request.signal.value, request.records, request.body) for request in requests],
                consignment.untold,
            )
        )
        new = self._path.with_suffix(".new")
        try:
            descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with FileIO(descriptor, "w") as file:
                _write(file, [crc32(data).to_bytes(_CHECKSUM_BYTES, "little"), data])
            new.replace(self._path)
        except OSError as error:
            # What stands there now is older, and would be sent a second time.
            for path in (new, self._path):
                with suppress(OSError):
                    path.unlink()
            _log.warning("sending without a copy on disk: %s", error)

    def load(self) -> Consignment | None:
        """Return what was saved last; None if nothing was, or if it is damaged."""
        try:
            data = self._path.read_bytes()
        except OSError:
            return None
        checksum, data = data[:_CHECKSUM_BYTES], data[_CHECKSUM_BYTES:]
        if crc32(data).to_bytes(_CHECKSUM_BYTES, "little") != checksum:
            _log.warning("the outbox is damaged: %s", self._path)
            return None
        end, tally, requests, untold = msgpack.unpackb(data)
        return Consignment(
            Position(*end),
            Tally.unpack(tally),
            [Request(Signal(signal), records, body) for signal, records, body in requests],
            untold,
        )


def _write(file: FileIO, parts: Sequence[bytes]) -> None:
    for part in parts:
        rest = memoryview(part)
        while rest:
            rest = rest[file.write(rest) or 0 :]
