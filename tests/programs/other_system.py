"""Runs a Python program as if relayscope, and only relayscope, were on another system.

usage: python -S other_system.py darwin|win32 [-S] [-P] PROGRAM|-m MODULE [ARGUMENT]...

What this system has and the other lacks is hidden from relayscope's modules; what the other has in
a way of its own is there, made of what this one has. Python's own modules stay as they are: it is
not another Python. Programs that relayscope starts or becomes are run in the same way.
"""

import builtins
import errno
import fcntl
import os
import runpy
import signal
import site
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NoReturn

POSIX_ONLY = {
    "os": (
        "chown fchmod fchown fdatasync fork forkpty getegid geteuid getgid getpgid getpgrp "
        "getpriority getsid getuid killpg lchown lockf mkfifo mknod nice openpty pidfd_open pipe2 "
        "posix_fadvise posix_fallocate posix_spawn posix_spawnp pread preadv pwrite pwritev "
        "register_at_fork sched_getaffinity sched_setaffinity sched_yield sendfile setpgid setsid "
        "sync uname wait wait3 wait4 waitid P_PID P_PGID P_ALL P_PIDFD WEXITED WNOHANG WNOWAIT "
        "CLD_EXITED CLD_KILLED O_CLOEXEC O_DIRECTORY O_DSYNC O_NOFOLLOW O_NONBLOCK O_SYNC"
    ),
    "signal": (
        "SIGALRM SIGCHLD SIGCONT SIGHUP SIGKILL SIGPIPE SIGQUIT SIGSTOP SIGTSTP SIGUSR1 SIGUSR2 "
        "SIGWINCH alarm pause pthread_kill pthread_sigmask setitimer sigwait"
    ),
    "time": (
        "clock_getres clock_gettime clock_gettime_ns CLOCK_BOOTTIME CLOCK_MONOTONIC "
        "CLOCK_MONOTONIC_RAW CLOCK_REALTIME"
    ),
}
LINUX_ONLY = {
    "os": (
        "fdatasync pidfd_open posix_fadvise posix_fallocate sched_getaffinity sched_setaffinity "
        "waitid P_PID P_PGID P_ALL P_PIDFD WEXITED WNOWAIT"
    ),
    "time": "CLOCK_BOOTTIME",
}
POSIX_MODULES = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "termios", "tty"}


class Seen(ModuleType):
    """A module as it looks on the other system."""

    def __init__(self, name: str, hidden: str = "", **own: Any) -> None:
        super().__init__(name)
        vars(self).update(own, _hidden=frozenset(hidden.split()))

    def __getattr__(self, name: str) -> Any:
        if name in self._hidden:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(sys.modules[self.__name__], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(sys.modules[self.__name__], name, value)


def elsewhere(command: list[str]) -> list[str]:
    """The command that runs a Python program on the other system."""
    executable, *arguments = command
    assert Path(executable).name.startswith("python"), command
    return [executable, "-S", __file__, SYSTEM, *arguments]


def popen(command: list[str], *, creationflags: int = 0, **options: Any) -> subprocess.Popen[Any]:
    """Start a process, with what Windows knows."""
    assert not {"process_group", "start_new_session", "preexec_fn", "pass_fds"} & set(options)
    if creationflags & BREAKAWAY and os.environ.get("JOB_HOLDS"):
        raise PermissionError(errno.EACCES, "Access is denied")
    return subprocess.Popen(elsewhere(command), **options)


def shell(command: list[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a process through the shell, as macOS does."""
    assert command[:4] == ["/bin/sh", "-c", '"$@" &', "sh"]
    return subprocess.Popen([*command[:4], *elsewhere(command[4:])], **options)


def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[Any]:
    """Run a process to its end."""
    return subprocess.run(elsewhere(command), **options)  # noqa: PLW1510  # the caller says


def execv(executable: str, command: list[str]) -> NoReturn:
    """Become a program."""
    there = elsewhere([executable, *command[1:]])
    os.execv(there[0], there)  # noqa: S606  # as relayscope would


def create_file(path: str, access: int, share: int, _: int, way: int, *__: int) -> int:
    """Open a file; whoever does not share it would keep others from renaming and deleting it."""
    assert share == SHARE_ALL, share
    flags = os.O_RDWR if access & GENERIC_WRITE else os.O_RDONLY
    flags |= {1: os.O_CREAT | os.O_EXCL, 3: 0, 4: os.O_CREAT}[way]
    return os.open(path, flags, 0o600)


def open_osfhandle(handle: int, flags: int) -> int:
    """Make a descriptor of a handle."""
    fcntl.fcntl(handle, fcntl.F_SETFL, flags & os.O_APPEND)
    return handle


def locking(descriptor: int, mode: int, size: int) -> None:
    """Lock bytes at the file's place; nobody could read what stands there."""
    place = os.lseek(descriptor, 0, os.SEEK_CUR)
    assert mode == LK_NBLCK
    assert size == 1
    assert place > os.fstat(descriptor).st_size, "others could not read what is locked"
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise PermissionError(errno.EACCES, "Permission denied") from error


def full_sync(descriptor: int, command: int) -> None:
    """Flush a file as macOS does."""
    assert command == F_FULLFSYNC
    os.fsync(descriptor)


GENERIC_READ, GENERIC_WRITE = 0x8000_0000, 0x4000_0000
SHARE_ALL = 7
BREAKAWAY = 0x0100_0000
LK_NBLCK = 2
F_FULLFSYNC = 51

WINDOWS = {
    "os": Seen("os", POSIX_ONLY["os"], O_BINARY=0x8000, O_NOINHERIT=0x80),
    "signal": Seen("signal", POSIX_ONLY["signal"], SIGBREAK=signal.SIGURG),
    "time": Seen("time", POSIX_ONLY["time"]),
    "subprocess": Seen(
        "subprocess",
        Popen=popen,
        run=run,
        CREATE_NO_WINDOW=0x0800_0000,
        BELOW_NORMAL_PRIORITY_CLASS=0x4000,
        CREATE_BREAKAWAY_FROM_JOB=BREAKAWAY,
    ),
    "msvcrt": Seen("msvcrt", LK_NBLCK=LK_NBLCK, locking=locking, open_osfhandle=open_osfhandle),
    "_winapi": Seen(
        "_winapi",
        NULL=0,
        GENERIC_READ=GENERIC_READ,
        GENERIC_WRITE=GENERIC_WRITE,
        CreateFile=create_file,
        CloseHandle=os.close,
    ),
    "sys": Seen("sys", platform="win32"),
}
MACOS = {
    "os": Seen("os", LINUX_ONLY["os"], execv=execv),
    "time": Seen("time", LINUX_ONLY["time"]),
    "subprocess": Seen("subprocess", Popen=shell),
    "fcntl": Seen("fcntl", F_FULLFSYNC=F_FULLFSYNC, fcntl=full_sync),
    "sys": Seen("sys", platform="darwin"),
}


def become(system: str) -> None:
    """Let relayscope's modules find themselves on another system from now on."""
    modules = {"darwin": MACOS, "win32": WINDOWS}[system]
    missing = POSIX_MODULES if system == "win32" else set()
    own_import = builtins.__import__

    def import_there(name: str, globals: Any = None, *rest: Any, **named: Any) -> Any:  # noqa: A002  # as it is called
        if str((globals or {}).get("__package__")).startswith("relayscope."):
            if name in missing:
                raise ModuleNotFoundError(f"No module named {name!r}", name=name)
            if name in modules:
                return modules[name]
        return own_import(name, globals, *rest, **named)

    def no_proc(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open" and str(arguments[0]).startswith("/proc/sys/"):
            raise FileNotFoundError(errno.ENOENT, "No such file or directory", arguments[0])

    builtins.__import__ = import_there
    sys.addaudithook(no_proc)


def main() -> None:
    """Run the program that the arguments name."""
    become(SYSTEM)
    arguments = sys.argv[2:]
    isolated = "-S" in arguments[:1]
    while arguments[0] in {"-S", "-P"}:
        del arguments[0]
    del sys.path[0]
    if not isolated:
        site.main()
    if arguments[0] == "-m":
        sys.argv = arguments[1:]
        runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)
    elif arguments[0] == "-c":
        sys.argv = ["-c", *arguments[2:]]
        exec(arguments[1], {"__name__": "__main__"})  # noqa: S102  # as Python does
    else:
        sys.path.insert(0, str(Path(arguments[0]).parent))
        sys.argv = arguments
        runpy.run_path(arguments[0], run_name="__main__")


if __name__ == "__main__":
    SYSTEM = sys.argv[1]
    main()
