"""Accounts without any privilege, as which programs run that root starts.

PostgreSQL refuses to run as root. The supervisor runs this by path, before any package can be
imported, so it imports nothing of ours.
"""

import ctypes
import grp
import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

_NAME: Final = "relayscope"

_FREE_IDS: Final = range(64_317, 65_520)
"""Range in which systemd makes users for a service, and Debian gives none away."""

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


class Account(NamedTuple):
    """A user of the system, who need not have a name."""

    user_id: int
    group_id: int


def account_for_root(folder: int) -> Account:
    """Choose the account as which PostgreSQL works for root.

    The user `relayscope`, if there is one. Else an id that nobody has, and that no process has: two
    processes of one user can do anything to each other, so `nobody` would not do. Whoever has the
    folder already goes on having it.

    Args:
        folder: The open folder that the account is to have.
    """
    with suppress(KeyError):
        named = pwd.getpwnam(_NAME)
        return Account(named.pw_uid, named.pw_gid)
    found = os.fstat(folder)
    if found.st_uid in _FREE_IDS and not _has_name(found.st_uid):
        return Account(found.st_uid, found.st_gid)
    running = set(_users_of_processes())
    for number in _FREE_IDS:
        if number not in running and not _has_name(number):
            return Account(number, number)
    raise LookupError("root needs a user to run PostgreSQL as; create one named relayscope")


def maker_of_clusters() -> Account:
    """Choose the account that makes a new cluster for root: `initdb` insists on one with a name."""
    for name in (_NAME, "nobody"):
        with suppress(KeyError):
            named = pwd.getpwnam(name)
            return Account(named.pw_uid, named.pw_gid)
    raise LookupError("root needs a user to make a database as; create one named relayscope")


def _has_name(number: int) -> bool:
    with suppress(KeyError):
        pwd.getpwuid(number)
        return True
    with suppress(KeyError):
        grp.getgrgid(number)
        return True
    return False


def _users_of_processes() -> Iterator[int]:
    for path in Path("/proc").iterdir():
        with suppress(FileNotFoundError):
            yield path.stat().st_uid


def become(account: Account) -> None:
    """Turn this process, which is root's and has one thread, into a user's, for good.

    No group, no capability and no way to get one is left, to it and to whatever it starts.
    """
    if sys.platform == "linux":
        for capability in range(_MOST_CAPABILITIES):
            _prctl(_PR_CAPBSET_DROP, capability)
    os.setgroups([])
    os.setgid(account.group_id)
    os.setuid(account.user_id)
    if sys.platform == "linux":
        _drop_capabilities()
        if not _prctl(_PR_SET_NO_NEW_PRIVS, 1):
            raise PermissionError("this system does not let a process give up its privileges")
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
