"""A program of many processes, as application servers are: each logs ten times a second.

usage: crowd.py NUMBER

It ends with its input. It knows nothing of relayscope.
"""

import logging
import os
import select
import sys
import time


def main() -> None:
    """Fork, log, and wait for the children."""
    logging.getLogger().setLevel(logging.DEBUG)
    reading, writing = os.pipe()
    children = []
    for _ in range(int(sys.argv[1])):
        pid = os.fork()
        if pid == 0:
            os.close(writing)
            _log_until(reading)
            sys.exit()
        children.append(pid)
    os.close(reading)
    sys.stdin.read()
    os.close(writing)
    for pid in children:
        os.waitpid(pid, 0)


def _log_until(descriptor: int) -> None:
    logger = logging.getLogger("crowd")
    while not select.select([descriptor], [], [], 0)[0]:
        logger.debug("here is %d", os.getpid())
        time.sleep(0.1)


if __name__ == "__main__":
    main()
