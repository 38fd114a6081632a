"""How a program that root starts runs as someone else, without any privilege.

PostgreSQL refuses to run as root. The supervisor runs this by path, before any package can be
imported, so it imports nothing of ours.
"""

import ctypes
import os
import pwd
import sys
from typing import Final

_PREFERRED_USERS: Final = ("relayscope", "nobody")

# From linux/prctl.h and linux/capability.h.
_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_CAPABILITY_VERSION_3: Final = 0x20080522
_MOST_CAPABILITIES: Final = 64


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilitySets(ctypes.Structure):
    _fields_ = (
        ("effective", ctypes.c_uint32),
        ("permitted", ctypes.c_uint32),
        ("inheritable", ctypes.c_uint32),
    )


def user_for_root() -> pwd.struct_passwd:
    """Choose the user as whom PostgreSQL works for root.

    The user `relayscope`, if there is one; else `nobody`, whose other processes cannot connect
    (only root can, by `peer`) and cannot reach the files (they are in a folder of root's).

    Raises:
        LookupError: There is neither.
    """
    for name in _PREFERRED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise LookupError("root needs a user to run PostgreSQL as; create one named relayscope")


def become(user: pwd.struct_passwd) -> None:
    """Turn this process, which is root's and has one thread, into a user's, for good.

    No group, no capability and no way to get one is left, to it and to whatever it starts.
    """
    if sys.platform == "linux":
        for capability in range(_MOST_CAPABILITIES):
            _prctl(_PR_CAPBSET_DROP, capability)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)
    if sys.platform == "linux":
        _drop_capabilities()
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        # Its own descriptors in /proc are root's otherwise.
        _prctl(_PR_SET_DUMPABLE, 1)


def die_with_parent(signal: int) -> None:
    """Ask for a signal when the parent dies, where the system can do that (Linux)."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, signal)


def _drop_capabilities() -> None:
    """Drop what may be inherited, too; with it goes what is ambient."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = _CapabilityHeader(_CAPABILITY_VERSION_3, 0)
    # Two of each: the sets have 64 bits.
    sets = (_CapabilitySets * 2)()
    if libc.capset(ctypes.byref(header), sets) != 0:
        error = ctypes.get_errno()
        raise OSError(error, f"cannot drop capabilities: {os.strerror(error)}")


def _prctl(option: int, *arguments: int) -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    padded = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    return bool(libc.prctl(option, *padded) == 0)
