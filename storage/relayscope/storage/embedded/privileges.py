"""How a program that root starts runs as someone else, and still reaches its files.

PostgreSQL refuses to run as root. A process that merely changes its user can often not reach what
root has: a virtual environment or a data folder under `/root` (mode 0700). On Linux it may keep one
capability, passed on to its children: to look into folders whatever their mode. It keeps none if it
needs none. This is run by path, before any package can be imported, so it imports nothing of ours.
"""

import ctypes
import os
import pwd
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

_PREFERRED_USERS: Final = ("relayscope", "nobody")

# From linux/prctl.h and linux/capability.h.
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_KEEPCAPS: Final = 8
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_RAISE: Final = 2
_CAPABILITY_VERSION_3: Final = 0x20080522
_CAP_DAC_OVERRIDE: Final = 1
_CAP_DAC_READ_SEARCH: Final = 2

# The lesser one first. Containers often have only the greater one.
_CAPABILITIES: Final = (_CAP_DAC_READ_SEARCH, _CAP_DAC_OVERRIDE)


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def owner_for(folder: Path) -> pwd.struct_passwd:
    """Choose the user who shall own what root keeps in a folder.

    The folder's owner, if that is somebody else; else the user `relayscope`, if there is one; else
    `nobody`.

    Raises:
        LookupError: There is none of them.
    """
    owner = folder.stat().st_uid
    if owner != 0:
        return pwd.getpwuid(owner)
    for name in _PREFERRED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("root needs a user to run PostgreSQL as; create one named relayscope")


def become(user: pwd.struct_passwd, can_work: Callable[[], bool]) -> None:
    """Turn this process, which is root's and has one thread, into a user's.

    Args:
        user: Who to become.
        can_work: Says whether everything that is needed can be reached.

    Raises:
        PermissionError: It cannot.
    """
    if sys.platform == "linux":
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    if can_work():
        return
    if sys.platform == "linux":
        for capability in _CAPABILITIES:
            if _keep(capability) and can_work():
                return
    raise PermissionError(
        f"Running as root, PostgreSQL works as the user {user.pw_name}, who cannot reach its"
        " programs or its data; run relayscope as a normal user, or move both out of folders"
        " that only root may enter"
    )


def die_with_parent(signal: int) -> None:
    """Ask for a signal when the parent dies, where the system can do that (Linux)."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal)


def _keep(capability: int) -> bool:
    """Keep just this capability, for this process and its children, if we have it."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    # Two of each: the sets have 64 bits. Both of our capabilities are in the lower half.
    sets = (_CapabilitySets * 2)()
    if libc.capget(ctypes.byref(header), sets) != 0:
        return False
    bit = 1 << capability
    if not sets[0].permitted & bit:
        return False
    # What is permitted stays so until the program is replaced: the next one may be needed yet.
    sets[0].effective = sets[0].inheritable = bit
    if libc.capset(ctypes.byref(header), sets) != 0:
        return False
    return _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability)


def _prctl(option: int, *arguments: int) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    return bool(libc.prctl(option, *padded) == 0)
