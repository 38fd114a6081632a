"""Ids of processes, and whether somebody has one."""

import os
import sys


def is_running(pid: int) -> bool:
    """Return whether a process has this id, as far as this process can see.

    On Windows no process is known by its id here: to send one signal 0 would end it.
    """
    if sys.platform == "win32" or pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
