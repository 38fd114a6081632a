"""The process that runs the embedded PostgreSQL for as long as somebody uses it.

It is a program of its own, run by path with nothing but the standard library: it has to be there in
milliseconds, and must not share the fate of the process that started it. Everybody who uses the
server holds a connection to `control`; the kernel closes it when they end, however they end. After
the last one PostgreSQL is stopped. If PostgreSQL itself dies, it is started again.

On every connection it says `ready`, or else what is wrong. When the other side shuts its half down
it closes the connection: at once if others use the server, otherwise when the server has stopped.
Standard input is the connection of the first user.

In the folder::

    server/            belongs to the user as whom PostgreSQL works
        cluster/       PostgreSQL's data
        server.log     what PostgreSQL says of itself: no statements, no data
        lock           held by this process and all of PostgreSQL's; who gets it knows they are gone
        hba.conf       who may connect: the user who started this process, as whatever role
        ident.conf     the name of that user

Root's folder is closed to the user as whom PostgreSQL works for root. It is reached through
descriptors that are opened before.
"""

import contextlib
import fcntl
import os
import pwd
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final, NamedTuple

# Found beside this file, because it is run by path; as part of the package it is never imported.
import cluster  # type: ignore[import-not-found]  # see above
import folders  # type: ignore[import-not-found]  # see above
import privileges  # type: ignore[import-not-found]  # see above
import programs as installed  # type: ignore[import-not-found]  # see above

# Recovery after a crash replays up to max_wal_size: 3.3 GB took 9 s, and a poor disk 2 minutes.
_START_SECONDS: Final = 240
# A fast shutdown writes a checkpoint; after that long an immediate one, which loses nothing either.
_STOP_SECONDS: Final = 30
# From one start after a crash to the next; longer each time that it fails.
_FIRST_RESTART_SECONDS: Final = 0.5
_LAST_RESTART_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.005
_LOG_BYTES: Final = 1 << 20

# What each process of PostgreSQL's may take of memory that it shares with no other. A reader may
# set its work_mem to anything; beyond this its statement fails, and nothing else does.
_PROCESS_BYTES: Final = 2 << 30

# `peer` asks the kernel who is at the other end: there is no password to keep or to lose.
_HBA: Final = "local all all peer map=relayscope\n"

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
    # A partition without statistics is read in the wrong order: its newest traces took 4.1 s at a
    # million records, and 0.1 s with them. By default they may come a minute later.
    "autovacuum_naptime": "10s",
    # Who reads new rows first marks them as committed, and where there are checksums, such a page
    # goes into the log: looking for a text doubled what was written, and took 7 % from receiving,
    # 3 % with this.
    "wal_compression": "on",
    # Only a page that was last changed before a checkpoint does. At full speed one came every 12 s
    # (1 GB, the default), and the first look for a text among a million new rows took 3.2 s; it
    # takes 1.5 s with this. Where little comes in, the log stays small.
    "max_wal_size": "4GB",
}


class CannotStartError(Exception):
    """PostgreSQL does not start; the message is for the user."""


class Place(NamedTuple):
    """The files of a cluster, by paths that the user as whom PostgreSQL works can use.

    Attributes:
        programs: PostgreSQL's.
        folder: The folder that belongs to that user.
        sockets: The folder to listen in.
        descriptors: Open folders that the paths go through, to be inherited.
    """

    programs: Path
    folder: Path
    sockets: Path
    descriptors: tuple[int, ...]


class Supervisor:
    """Runs the cluster in a folder for those who are connected."""

    def __init__(self, place: Place, client: str) -> None:
        """Run what is in a place for one user of the system.

        Args:
            place: The cluster's files.
            client: The name of the only user who may connect.
        """
        self._place = place
        self._client = client
        self._programs = place.programs
        self._cluster = place.folder / "cluster"
        self._sockets = place.sockets
        self._control = place.sockets / "control"
        self._log = place.folder / "server.log"
        self._lock = os.open(place.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        self._server: subprocess.Popen[bytes] | None = None
        self._restart_at = 0.0
        self._restart_delay = _FIRST_RESTART_SECONDS
        self._users: set[socket.socket] = set()
        self._events = selectors.DefaultSelector()

    def start(self) -> None:
        """Start PostgreSQL.

        Raises:
            CannotStartError: It does not start.
        """
        self._wait_for_predecessors()
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

    def _start_server(self) -> None:
        hba, ident = self._say_who_may_connect()
        settings = _SETTINGS | {
            "unix_socket_directories": '"' + str(self._sockets).replace('"', '""') + '"',
            "hba_file": str(hba),
            "ident_file": str(ident),
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
                pass_fds=(self._lock, *self._place.descriptors),
                preexec_fn=_prepare_server,  # noqa: PLW1509  # safe in a process with one thread
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

    def _say_who_may_connect(self) -> tuple[Path, Path]:
        hba, ident = self._place.folder / "hba.conf", self._place.folder / "ident.conf"
        hba.write_text(_HBA)
        quoted = self._client.replace('"', '""')
        ident.write_text(f'relayscope "{quoted}" all\n')
        return hba, ident

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


def _prepare_server() -> None:
    resource.setrlimit(resource.RLIMIT_DATA, (_PROCESS_BYTES, _PROCESS_BYTES))
    privileges.die_with_parent(signal.SIGINT)


def _make_cluster(programs: Path, inner: int, path: Path) -> None:
    """Make a cluster aside, if there is none, and move it when it is complete and on disk."""
    inside = folders.path_of(inner, path)
    unfinished = inside / "cluster.unfinished"
    if (inside / "cluster").exists():
        return
    if unfinished.exists():
        shutil.rmtree(unfinished)
    data = folders.open_below(inner, unfinished.name)
    maker = None
    if os.geteuid() == 0:
        maker = privileges.maker_of_clusters()
        os.fchown(data, *maker)
    data_path = folders.path_of(data, path / unfinished.name)
    wrong = cluster.make_cluster(programs, data_path, (data,), maker and maker.user_id)
    os.close(data)
    if wrong:
        raise CannotStartError(wrong)
    unfinished.rename(inside / "cluster")
    os.fsync(inner)


def _place(programs: Path, folder: Path, sockets: Path) -> Place:
    """Make what is missing, and leave root, if that is who started this."""
    outer = folders.open_private(folder)
    inner = folders.open_below(outer, "server")
    beside = folder / "server" / "run"
    if sockets == beside:
        listening = folders.open_below(inner, "run")
    else:
        if os.geteuid() == 0:
            os.close(folders.open_private(sockets.parent))
        listening = folders.open_private(sockets)
    account = None
    if os.geteuid() == 0:
        if sys.platform != "linux":
            raise CannotStartError("root can run PostgreSQL on Linux only; run as a normal user")
        account = privileges.account_for_root(inner)
        programs = installed.reachable(programs, account.user_id)
    _make_cluster(programs, inner, folder / "server")
    if account is not None:
        for opened in (listening, inner):
            if os.fstat(opened).st_uid != account.user_id:
                folders.give(opened, *account)
        privileges.become(account)
    os.close(outer)
    return Place(
        programs,
        folders.path_of(inner, folder / "server"),
        folders.path_of(listening, sockets),
        (inner, listening),
    )


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
        client = pwd.getpwuid(os.geteuid()).pw_name
        supervisor = Supervisor(_place(programs, folder, sockets), client)
        supervisor.start()
    except (CannotStartError, LookupError, OSError) as error:
        first.sendall(str(error).encode())
        return
    supervisor.serve(first)


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
