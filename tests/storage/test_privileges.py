"""Privileges of root's PostgreSQL, and of others over it: none."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from relayscope.storage import EmbeddedServer, ServerDidNotStart
from relayscope.storage.embedded import folders, privileges, programs, server
from relayscope.storage.embedded.privileges import Account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0,
    reason="only root can become somebody else: left out is what root's PostgreSQL may do, who can"
    " connect to it, and what becomes of what others plant in its folders",
)

STRANGER: Final = 54321
"""A user without a name, a home or a right."""


def nobody() -> Account:
    """Return the user as whom many a service runs."""
    named = pwd.getpwnam("nobody")
    return Account(named.pw_uid, named.pw_gid)


def stranger() -> Account:
    """Return a user as which nothing else runs."""
    return Account(STRANGER, STRANGER)


def said_as(account: Account, say: Callable[[], str]) -> str:
    """Return what a process says that has become a user."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        said = "it ended"
        try:
            privileges.become(account)
            said = say()
        except BaseException as error:  # noqa: BLE001  # whatever it is, the parent says it
            said = str(error) or repr(error)
        finally:
            os.write(writer, said.encode())
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as told:
        said = told.read()
    os.waitpid(child, 0)
    return said


def refusal(account: Account, url: str, role: str) -> str:
    """Return what a user is told who connects; empty if it is let in."""

    def connect() -> str:
        psycopg.connect(url, user=role)
        return ""

    return said_as(account, connect)


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A folder of root's, to be made."""
    with tempfile.TemporaryDirectory(prefix="relayscope-") as folder:
        yield Path(folder, "data")


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedServer]:
    """A server that root has started."""
    with (
        tempfile.TemporaryDirectory(prefix="relayscope-") as folder,
        EmbeddedServer.start(Path(folder)) as started,
    ):
        yield started


def sockets_of(started: EmbeddedServer) -> Path:
    """Return the folder where a server listens."""
    return Path(str(psycopg.conninfo.conninfo_to_dict(started.url)["host"]))


def postmaster(started: EmbeddedServer) -> int:
    """Return the id of PostgreSQL's main process."""
    lock = sockets_of(started) / ".s.PGSQL.5432.lock"
    return int(lock.read_text().split()[0])


def test_it_has_no_privilege_and_can_get_none(running: EmbeddedServer) -> None:
    """Neither PostgreSQL nor the process that runs it has a capability or a group of root's."""
    server_process = postmaster(running)
    supervisor = int(Path(f"/proc/{server_process}/stat").read_text().rsplit(")", 1)[1].split()[1])
    for process in (server_process, supervisor):
        status = Path(f"/proc/{process}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        assert "0" not in fields["Uid"].split()
        assert "0" not in fields["Gid"].split()
        assert fields["Groups"].split() == []
        for capabilities in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            assert int(fields[capabilities], 16) == 0, capabilities
        assert fields["NoNewPrivs"].strip() == "1"


@pytest.mark.parametrize("who", [nobody, stranger])
def test_no_other_user_gets_at_its_folder(
    running: EmbeddedServer, who: Callable[[], Account]
) -> None:
    """Not through its descriptors, its working folder, its memory or a signal either."""
    process = postmaster(running)

    def reached() -> list[str]:
        found = []
        for path in (f"/proc/{process}/cwd", f"/proc/{process}/fd", f"/proc/{process}/root"):
            with contextlib.suppress(PermissionError):
                found.append(f"{path}: {list(Path(path).iterdir())}")
        with contextlib.suppress(PermissionError), Path(f"/proc/{process}/mem").open("rb"):
            found.append("mem")
        with contextlib.suppress(PermissionError):
            os.kill(process, 0)
            found.append("signals")
        return found

    assert said_as(who(), lambda: str(reached())) == "[]"


def test_its_superuser_reads_nothing_of_roots(running: EmbeddedServer, tmp_path: Path) -> None:
    """Not through a program, not through PostgreSQL itself, whatever the folder's mode."""
    secret = tmp_path / "secret"
    secret.write_text("root's alone")
    secret.chmod(0o600)
    with psycopg.connect(running.url, autocommit=True) as connection:
        connection.execute("create temporary table got (line text)")
        for path in (secret, Path("/etc/shadow")):
            with pytest.raises(psycopg.DatabaseError):
                connection.execute(f"copy got from program 'cat {path}'")
            with pytest.raises(psycopg.DatabaseError):
                connection.execute("select pg_read_file(%s)", (str(path),))
        assert connection.execute("select count(*) from got").fetchone() == (0,)


@pytest.mark.parametrize("role", ["relayscope", "relayscope_reader", "nobody"])
@pytest.mark.parametrize("who", [nobody, stranger])
def test_nobody_else_can_connect(
    running: EmbeddedServer, who: Callable[[], Account], role: str
) -> None:
    """Not even who has got hold of its socket, nor the user as whom PostgreSQL works."""
    sockets = sockets_of(running)
    opened = os.open(sockets, os.O_RDONLY | os.O_DIRECTORY)
    socket = sockets / ".s.PGSQL.5432"
    mode = socket.stat().st_mode
    try:
        socket.chmod(0o777)
        os.fchmod(opened, 0o777)
        assert "ermission denied" in refusal(who(), running.url, role)
        by_descriptor = f"postgresql:///postgres?host=/proc/self/fd/{opened}"
        assert "peer" in refusal(who(), by_descriptor, role).lower()
    finally:
        os.fchmod(opened, 0o700)
        socket.chmod(mode)
        os.close(opened)


def test_all_that_leads_to_it_is_roots_alone(data_dir: Path) -> None:
    """The folder above its socket and its data, also where the path is too long for a socket."""
    for folder in (data_dir, data_dir / ("d" * 100)):
        with EmbeddedServer.start(folder) as started:
            for parent in (sockets_of(started).parent, folder / "postgresql"):
                private = [each for each in (parent, *parent.parents) if each.stat().st_uid == 0]
                assert any(each.stat().st_mode & 0o077 == 0 for each in private)
            assert not sockets_of(started).is_relative_to("/tmp") or folder == data_dir  # noqa: S108  # only compared


@pytest.mark.parametrize("kind", ["symbolic", "hard", "pipe"])
def test_a_planted_lock_costs_no_file_of_roots(data_dir: Path, tmp_path: Path, kind: str) -> None:
    """A thing in the place of the file `starting` is not followed, emptied or waited for."""
    with EmbeddedServer.start(data_dir):
        pass
    precious = tmp_path / "precious"
    precious.write_text("kept")
    planted = data_dir / "postgresql/starting"
    planted.unlink()
    if kind == "symbolic":
        planted.symlink_to(precious)
    elif kind == "hard":
        os.link(precious, planted)
    else:
        os.mkfifo(planted)
    try:
        with EmbeddedServer.start(data_dir):
            assert kind == "hard"
    except ServerDidNotStart:
        assert kind != "hard"
    assert precious.read_text() == "kept"
    assert precious.stat().st_uid == 0


@pytest.mark.parametrize("owner", [0, STRANGER])
@pytest.mark.parametrize("name", ["postgresql", "postgresql/server", "postgresql/server/run"])
def test_a_planted_folder_is_not_given_away(
    data_dir: Path, tmp_path: Path, name: str, owner: int
) -> None:
    """A link in the place of a folder is refused, and what it leads to stays root's."""
    precious = tmp_path / "folder"
    precious.mkdir()
    (precious / "file").write_text("kept")
    data_dir.mkdir(mode=0o700)
    link = data_dir / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(precious)
    for folder in (data_dir, *(each for each in link.parents if each.is_relative_to(data_dir))):
        os.chown(folder, owner, owner)

    with pytest.raises(ServerDidNotStart):
        EmbeddedServer.start(data_dir)

    assert [precious.stat().st_uid, (precious / "file").stat().st_uid] == [0, 0]
    assert (precious / "file").read_text() == "kept"


def test_another_users_folder_is_not_used(data_dir: Path) -> None:
    """The owner of the data folder could prepare it for root; the error says what to do."""
    data_dir.mkdir()
    os.chown(data_dir, STRANGER, STRANGER)
    with pytest.raises(
        ServerDidNotStart, match=f"belongs to the user {STRANGER}; run relayscope as"
    ):
        EmbeddedServer.start(data_dir)
    assert list(data_dir.iterdir()) == []


@pytest.mark.parametrize("kind", ["a link of another user's", "a folder of another user's", "open"])
def test_a_way_that_others_can_change_is_not_gone(tmp_path: Path, kind: str) -> None:
    """Root's data folder below what another user owns could be another one at any moment."""
    tmp_path.parent.chmod(0o755)
    home, precious = tmp_path / "home", tmp_path / "precious"
    home.mkdir()
    precious.mkdir()
    data_dir = home / "data"
    if kind == "a link of another user's":
        data_dir.symlink_to(precious)
        os.lchown(data_dir, STRANGER, STRANGER)
    elif kind == "open":
        home.chmod(0o777)
    else:
        os.chown(home, STRANGER, STRANGER)
    with pytest.raises(ServerDidNotStart, match=r"belongs to the user|others can write"):
        EmbeddedServer.start(data_dir)
    assert list(precious.iterdir()) == []


def test_roots_own_links_lead_on(tmp_path: Path) -> None:
    """A data folder that root has put elsewhere, with a link in its place, is used."""
    with tempfile.TemporaryDirectory(prefix="relayscope-") as real:
        link = tmp_path / "link"
        link.symlink_to(real)
        with EmbeddedServer.start(link / "data") as started:
            psycopg.connect(started.url).close()


def test_only_what_has_one_name_is_given_away(tmp_path: Path) -> None:
    """Links of both kinds, in a folder that changes its owner, keep root's files root's."""
    precious = tmp_path / "precious"
    precious.write_text("kept")
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "inner/own").write_text("")
    (folder / "symbolic").symlink_to(precious)
    os.link(precious, folder / "inner/hard")
    opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    folders.give(opened, STRANGER, STRANGER)
    os.close(opened)
    owners = {
        name: (folder / name).stat().st_uid for name in (".", "inner", "inner/own", "inner/hard")
    }
    assert owners == {".": STRANGER, "inner": STRANGER, "inner/own": STRANGER, "inner/hard": 0}
    assert precious.stat().st_uid == 0


@pytest.fixture
def hidden(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation that only root can reach, and a place for copies of it."""
    with tempfile.TemporaryDirectory(prefix="relayscope-") as folder:
        package = server._programs().parents[1]  # noqa: SLF001  # it is replaced below
        for name in (package.name, f"{package.name}.libs"):
            if package.with_name(name).exists():
                shutil.copytree(package.with_name(name), Path(folder, name), symlinks=True)
        there = Path(folder, package.name, "pginstall/bin")
        monkeypatch.setattr(server, "_programs", lambda: there)
        yield there


def test_programs_that_only_root_can_reach_are_copied(hidden: Path, data_dir: Path) -> None:
    """An environment below /root serves, and the copy that runs is nobody's to change."""
    with EmbeddedServer.start(data_dir) as started:
        running = Path(f"/proc/{postmaster(started)}/exe").resolve()
    copy = running.parents[3]
    try:
        assert running.is_relative_to("/var/cache/relayscope")
        for path in (running, *running.parents):
            found = path.stat()
            assert found.st_uid == 0
            assert not found.st_mode & 0o022 or path == Path("/tmp")  # noqa: S108  # only compared
    finally:
        shutil.rmtree(copy)


def test_a_planted_copy_is_not_run(
    hidden: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a folder of copies nor a copy that is somebody else's."""
    monkeypatch.setattr(programs, "_COPIES", tmp_path / "copies")
    tmp_path.parent.chmod(0o755)
    programs.reachable.__globals__["_make_copies"]()
    (tmp_path / "copies").chmod(0o777)
    with pytest.raises(PermissionError, match="remove it"):
        programs.reachable(hidden, STRANGER)
    os.chown(tmp_path / "copies", STRANGER, STRANGER)
    (tmp_path / "copies").chmod(0o755)
    with pytest.raises(PermissionError, match="remove it"):
        programs.reachable(hidden, STRANGER)
