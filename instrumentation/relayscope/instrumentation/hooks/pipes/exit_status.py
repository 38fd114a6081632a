"""The exit status of a child process, seen without taking it from the host.

Windows has no call for that, and Python none on macOS before 3.13. There, a channel is said to be
closed when the host asks how its child has ended, or asyncio does.
"""

import os
import sys
from typing import Final

LEARNING_METHODS: Final = (
    ("_wait", "_internal_poll") if sys.platform == "win32" else ("_handle_exitstatus",)
)
"""The methods of `subprocess.Popen` in which it learns how its child has ended."""


def exit_status(pid: int) -> int | None:
    """Return how a child has ended, None if it runs or has been reaped. It stays to be reaped."""
    if sys.platform == "win32" or not hasattr(os, "waitid"):
        return None
    try:
        found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except OSError:
        return None
    if found is None:
        return None
    status: int = found.si_status
    return status if found.si_code == os.CLD_EXITED else -status
