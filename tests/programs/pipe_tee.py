"""Runs a command and records every byte of its stdin and stdout on the way.

usage: pipe_tee.py FOLDER COMMAND ...

Writes `FOLDER/PID.forth` (what the command was sent) and `FOLDER/PID.back` (what it said). It
understands nothing of what passes, and exits as the command does.
"""

import os
import subprocess
import sys
import threading
from pathlib import Path


def copy(source: int, target: int, record: Path) -> None:
    """Copy until the source ends; record what the target has taken."""
    with record.open("wb", buffering=0) as file:
        while data := os.read(source, 65536):
            file.write(data)
            view = memoryview(data)
            while view:
                view = view[os.write(target, view) :]


def copy_forth(target: int, record: Path) -> None:
    """Copy stdin to the command, whose end may come first."""
    try:
        copy(0, target, record)
    except BrokenPipeError:
        pass
    finally:
        os.close(target)


def main() -> None:
    """Run the command between two recorded pipes."""
    folder, *command = sys.argv[1:]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert child.stdin is not None
    assert child.stdout is not None
    name = Path(folder) / str(os.getpid())
    threading.Thread(
        target=copy_forth, args=(os.dup(child.stdin.fileno()), Path(f"{name}.forth")), daemon=True
    ).start()
    child.stdin.close()
    copy(child.stdout.fileno(), 1, Path(f"{name}.back"))
    sys.exit(child.wait())


if __name__ == "__main__":
    main()
