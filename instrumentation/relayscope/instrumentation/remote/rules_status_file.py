"""The file in which a process reports what it made of its rules, in the folder of its spool."""

import json
import os
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Final

from relayscope.spool import open_own

_NAME: Final = "levels.json"
_LARGEST: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class RulesStatus:
    """The levels by which a process records now.

    Attributes:
        hash: Of the rules that it was given last, in hex digits; empty if none.
        error: The reason why it could not take them; empty if it has.
        level: Of messages about which there is no rule.
        host_logs: Level of the host's own log records.
        rules: Those that came from outside and hold.
    """

    hash: str
    error: str
    level: str
    host_logs: str
    rules: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Write the status, in place of the one before.

        Raises:
            OSError: The disk refuses.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        with FileIO(open_own(folder / _NAME, flags), "w") as file:
            file.write(json.dumps(asdict(self)).encode())

    @classmethod
    def read(cls, folder: Path) -> "RulesStatus | None":
        """Return the status; None if there is none, or not all of it yet."""
        try:
            with FileIO(open_own(folder / _NAME, os.O_RDONLY)) as file:
                fields = json.loads(file.read(_LARGEST) or b"")
            known, error, level, host_logs = (
                str(fields[name]) for name in ("hash", "error", "level", "host_logs")
            )
            return cls(known, error, level, host_logs, tuple(map(str, fields["rules"])))
        except (OSError, ValueError, TypeError, KeyError, RecursionError):
            return None
