"""The process that runs the embedded PostgreSQL for as long as somebody uses it.

It is a program of its own, run by path with nothing but the standard library: it has to be there in
milliseconds, and must not share the fate of the process that started it. Everybody who uses the
server holds a connection to `control`; the kernel closes it when they end, however they end. After
the last one PostgreSQL is stopped. If PostgreSQL itself dies, it is started again.

On every connection it says `ready`, or else what is wrong. When the other side shuts its half down
it closes the connection: at once if others use the server, otherwise when the server has stopped.
Standard input is the connection of the first user.

In the folder::

    cluster/       PostgreSQL's data
    server.log     what PostgreSQL says of itself: no statements, no data
    lock           held by this process and all of PostgreSQL's; who gets it knows they are gone
"""

import contextlib
import fcntl
import os
import selectors
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

# Found beside this file, because it is run by path; as part of the package it is never imported.
import privileges  # type: ignore[import-not-found]

# Recovery after a crash replays up to max_wal_size (1 GB), which takes a poor disk half a minute.
_START_SECONDS: Final = 60
# A fast shutdown writes a checkpoint; after that long an immediate one, which loses nothing either.
_STOP_SECONDS: Final = 30
# From one start after a crash to the next; longer each time that it fails.
_FIRST_RESTART_SECONDS: Final = 0.5
_LAST_RESTART_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.005
_LOG_BYTES: Final = 1 << 20

_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "search_path": "relayscope, public",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # The log is for what happens to the server. What is wrong with a statement or with its data is
    # told to those who sent it, and would otherwise fill the disk at their command.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
}


class CannotStartError(Exception):
    """PostgreSQL does not start; the message is for the user."""


class Supervisor:
    """Runs the cluster in a folder for those who are connected."""

    def __init__(self, programs: Path, folder: Path, sockets: Path) -> None:
        self._programs = programs
        self._cluster = folder / "cluster"
        self._sockets = sockets
        self._control = sockets / "control"
        self._log = folder / "server.log"
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._server: subprocess.Popen[bytes] | None = None
        self._restart_at = 0.0
        self._restart_delay = _FIRST_RESTART_SECONDS
        self._users: set[socket.socket] = set()
        self._events = selectors.DefaultSelector()

    def start(self) -> None:
        """Make the cluster if there is none, and start PostgreSQL.

        Raises:
            CannotStartError: It does not start.
        """
        self._wait_for_predecessors()
        self._make_place_for_sockets()
        if not self._cluster.exists():
            self._make_cluster()
        # What a killed PostgreSQL left behind. We hold the lock, so the process that these files
        # name is not PostgreSQL any more, whoever has the number now.
        for stale in (self._cluster / "postmaster.pid", *self._sockets.iterdir()):
            stale.unlink(missing_ok=True)
        if self._log.exists() and self._log.stat().st_size > _LOG_BYTES:
            self._log.unlink()
        self._start_server()

    def serve(self, first: socket.socket) -> None:
        """Let users come and go, until the last has gone and PostgreSQL has stopped."""
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(self._control))
        listener.listen()
        wakeup = self._wake_when_children_end()
        self._events.register(listener, selectors.EVENT_READ)
        self._events.register(wakeup, selectors.EVENT_READ)
        self._welcome(first)
        while self._users:
            for key, _ in self._events.select(self._seconds_to_restart()):
                source = key.fileobj
                if source is listener:
                    self._welcome(listener.accept()[0])
                elif source is wakeup:
                    wakeup.recv(1024)
                elif isinstance(source, socket.socket):
                    self._hear(source)
            if self._seconds_to_restart() == 0:
                self._restart_server()
        self._control.unlink(missing_ok=True)
        listener.close()
        self._stop_server()
        with contextlib.suppress(OSError):
            self._sockets.rmdir()

    def _welcome(self, user: socket.socket) -> None:
        with contextlib.suppress(OSError):
            user.sendall(b"ready\n")
        self._users.add(user)
        self._events.register(user, selectors.EVENT_READ)

    def _hear(self, user: socket.socket) -> None:
        with contextlib.suppress(OSError):
            if user.recv(1024):
                return
        self._events.unregister(user)
        if len(self._users) > 1:
            user.close()
            self._users.remove(user)
        else:
            # Not closed: that happens when this process ends, and says that all is over.
            self._users.clear()
            self._last = user

    def _seconds_to_restart(self) -> float | None:
        """Say when PostgreSQL is to be started again, if it died."""
        if self._server is not None and self._server.poll() is None:
            return None
        return max(0, self._restart_at - time.monotonic())

    def _restart_server(self) -> None:
        try:
            self._start_server()
            self._restart_delay = _FIRST_RESTART_SECONDS
        except CannotStartError:
            # It is in the log. Perhaps the disk is full; that may end.
            self._restart_delay = min(2 * self._restart_delay, _LAST_RESTART_SECONDS)
        self._restart_at = time.monotonic() + self._restart_delay

    def _wait_for_predecessors(self) -> None:
        """Get the lock; stop a PostgreSQL whose supervisor was killed and that lives on."""
        deadline = time.monotonic() + _STOP_SECONDS
        while not self._get_lock():
            if time.monotonic() > deadline:
                raise CannotStartError("another PostgreSQL is using the folder and does not stop")
            with contextlib.suppress(OSError, ValueError):
                pid = (self._cluster / "postmaster.pid").read_text().split()[0]
                os.kill(int(pid), signal.SIGINT)
            time.sleep(_POLL_SECONDS)

    def _get_lock(self) -> bool:
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _make_place_for_sockets(self) -> None:
        """Make their folder; refuse one that somebody else has put there, or can get into."""
        self._sockets.mkdir(exist_ok=True)
        found = self._sockets.lstat()
        if (
            not stat.S_ISDIR(found.st_mode)
            or found.st_uid != os.geteuid()
            or found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        ):
            raise CannotStartError(f"{self._sockets} is not only ours; remove it")

    def _make_cluster(self) -> None:
        """Make it aside and move it here when it is complete and on disk."""
        unfinished = self._cluster.with_name("cluster.unfinished")
        if unfinished.exists():
            shutil.rmtree(unfinished)
        initdb = subprocess.run(  # noqa: S603  # From our own dependency.
            (
                self._programs / "initdb",
                "--username=relayscope",
                "--auth=trust",
                "--encoding=UTF8",
                # Sorting that is the same on every system, and after every update of it.
                "--locale-provider=builtin",
                "--locale=C.UTF-8",
                f"--pgdata={unfinished}",
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        if initdb.returncode != 0:
            raise CannotStartError(initdb.stderr.decode(errors="replace").strip())
        unfinished.rename(self._cluster)
        parent = os.open(self._cluster.parent, os.O_RDONLY)
        os.fsync(parent)
        os.close(parent)

    def _start_server(self) -> None:
        settings = _SETTINGS | {
            "unix_socket_directories": '"' + str(self._sockets).replace('"', '""') + '"'
        }
        with self._log.open("ab") as log:
            beginning = log.tell()
            server = subprocess.Popen(  # noqa: S603  # From our own dependency.
                (
                    self._programs / "postgres",
                    "-D",
                    self._cluster,
                    *(f"--{name}={value}" for name, value in settings.items()),
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(self._lock,),
                # Safe in a process with one thread.
                preexec_fn=lambda: privileges.die_with_parent(signal.SIGINT),  # noqa: PLW1509
            )
        self._server = server
        deadline = time.monotonic() + _START_SECONDS
        while not self._is_ready(server.pid):
            if server.poll() is not None:
                with self._log.open("rb") as log:
                    log.seek(beginning)
                    raise CannotStartError(log.read()[-4096:].decode(errors="replace").strip())
            if time.monotonic() > deadline:
                self._stop_server()
                raise CannotStartError(f"it was not ready after {_START_SECONDS} seconds")
            time.sleep(_POLL_SECONDS)

    def _is_ready(self, pid: int) -> bool:
        """Tell from its lock file, as `pg_ctl` does: the pid first, the state last."""
        try:
            lines = (self._cluster / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return lines[:1] == [str(pid)] and lines[-1].strip() == "ready"

    def _stop_server(self) -> None:
        if self._server is None:
            return
        for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL):
            self._server.send_signal(how)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._server.wait(_STOP_SECONDS)
                return

    def _wake_when_children_end(self) -> socket.socket:
        reader, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        return reader


def _own(folder: Path, user_id: int, group_id: int) -> None:
    """Give a folder to a user, with all that is in it."""
    if folder.stat().st_uid == user_id:
        return
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), user_id, group_id, follow_symlinks=False)
    # Last: as long as it is not done, it will be done again.
    os.chown(folder, user_id, group_id)


def _leave_root(programs: Path, folder: Path) -> None:
    def can_work() -> bool:
        try:
            next(folder.iterdir())
            program = (programs / "postgres", "--version")
            subprocess.run(program, check=True, capture_output=True)  # noqa: S603  # As above.
        except (OSError, subprocess.CalledProcessError):
            return False
        return True

    user = privileges.owner_for(folder.parent)
    _own(folder, user.pw_uid, user.pw_gid)
    privileges.become(user, can_work)


def main(programs: Path, folder: Path, sockets: Path) -> None:
    """Run the cluster in `folder` with the programs in `programs`, listening in `sockets`."""
    if os.fork() != 0:
        os._exit(0)
    # Its end is not for the terminal, or for whoever started us, to decide.
    for ignored in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    os.chdir("/")
    os.umask(0o077)
    # Moved away from standard input, or closing it would close only one of two.
    first = socket.socket(fileno=os.dup(0))
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    try:
        if os.geteuid() == 0:
            _leave_root(programs, folder)
        supervisor = Supervisor(programs, folder, sockets)
        supervisor.start()
    except (CannotStartError, LookupError, OSError) as error:
        first.sendall(str(error).encode())
        return
    supervisor.serve(first)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
