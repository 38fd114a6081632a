"""`relayscope` as a process that need not import: a fork of one that has, and stays.

usage: warm_relayscope.py SOCKET serve
       warm_relayscope.py SOCKET ARGUMENT...

The second is `relayscope ARGUMENT...` with the streams, the folder and the environment that it is
started with, and ends as that ends. What Python reads in an environment when it starts (encodings,
warnings) has been read already.
"""

import gc
import json
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

_MOST = 2**20


def ask(path: str, arguments: list[str]) -> int:
    """Have a command run by the process that stays; return its exit code."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as channel:
        channel.connect(path)
        wanted = {
            "arguments": arguments,
            "folder": str(Path.cwd()),
            "environment": dict(os.environ),
        }
        socket.send_fds(channel, [json.dumps(wanted).encode()], [0, 1, 2])
        return int(channel.recv(_MOST))


def stay(path: str) -> socket.socket:
    """Import what commands import, and fork for each that is asked for; return in its process."""
    _import()
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(path)
        listener.listen()
        print("ready", flush=True)
        # Nobody waits for the children that wait for commands.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        while sys.stdin not in select.select([listener, sys.stdin], [], [])[0]:
            channel, _ = listener.accept()
            if not os.fork():
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                return channel
            channel.close()
    sys.exit()


def become(channel: socket.socket) -> None:
    """Return in a child that has what the asker has; tell him its exit code."""
    raw, streams, _, _ = socket.recv_fds(channel, _MOST, 3)
    if child := os.fork():
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        channel.send(str(code).encode())
        os._exit(0)
    channel.close()
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    wanted = json.loads(raw)
    os.chdir(wanted["folder"])
    os.environ.clear()
    os.environ.update(wanted["environment"])
    time.tzset()
    sys.argv = ["relayscope", *wanted["arguments"]]
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115  # as Python's own
    sys.stderr = open(2, "w", 1, "utf-8", "backslashreplace", closefd=False)  # noqa: SIM115


def _import() -> None:
    from sqlalchemy.dialects.postgresql import psycopg  # noqa: F401, PLC0415

    from relayscope.collector.cli.commands import (  # noqa: F401, PLC0415  # not for who asks
        compare,
        level,
        lists,
        problems,
        sanitize,
        sql,
        tail,
        trace,
    )

    # A child that ends would copy all of it otherwise, in 0.2 s.
    gc.collect()
    gc.freeze()


if __name__ == "__main__":
    if sys.argv[2:] != ["serve"]:
        sys.exit(ask(sys.argv[1], sys.argv[2:]))
    become(stay(sys.argv[1]))
    from relayscope.collector.__main__ import main

    main()
