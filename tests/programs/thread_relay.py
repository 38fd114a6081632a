"""A relay made of threads and queues: stdin and stdout to its client, pipes to a child.

usage: thread_relay.py COMMAND ...

Every message changes threads between being read and being written. It knows nothing of relayscope.
"""

import subprocess
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import IO

Lines = SimpleQueue[str | None]


def read(file: IO[str], lines: Lines) -> None:
    """Queue what is read."""
    for line in file:
        lines.put(line)
    lines.put(None)


def write(lines: Lines, say: Callable[[str], object]) -> None:
    """Say what is queued."""
    while (line := lines.get()) is not None:
        say(line)


def main() -> None:
    """Relay until the client closes its end."""
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a real file
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]  # a real file
    child = subprocess.Popen(
        sys.argv[1:],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        bufsize=1,
    )
    assert child.stdin is not None
    assert child.stdout is not None
    forth: Lines = SimpleQueue()
    back: Lines = SimpleQueue()
    threads = [
        threading.Thread(target=read, args=(child.stdout, back)),
        threading.Thread(target=write, args=(forth, child.stdin.write)),
        threading.Thread(target=write, args=(back, lambda line: print(line, end="", flush=True))),
    ]
    for thread in threads:
        thread.start()
    read(sys.stdin, forth)
    threads[1].join()
    child.stdin.close()
    for thread in threads:
        thread.join()
    sys.exit(child.wait())


if __name__ == "__main__":
    main()
