"""The embedded server: there for as long as somebody uses it, whatever happens to whom."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import psycopg
import pytest

from relayscope.storage import EmbeddedServer, NoDatabase, ServerDidNotStart

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A process that uses the server until its standard input ends.
_USER: Final = """
import sys
from pathlib import Path
from relayscope.storage import EmbeddedServer
with EmbeddedServer.start(Path(sys.argv[1])) as server:
    print(server.url, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def new_dir() -> Iterator[Path]:
    """A folder to be made, in a folder that only its owner may enter."""
    with tempfile.TemporaryDirectory(prefix="relayscope-") as folder:
        yield Path(folder, "data")


@pytest.fixture(scope="module")
def _used_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="relayscope-") as folder:
        with EmbeddedServer.start(Path(folder)):
            pass
        yield Path(folder)


@pytest.fixture
def data_dir(_used_dir: Path, new_dir: Path) -> Path:
    """A folder that was used before; copying one is quicker than making one."""
    shutil.copytree(_used_dir, new_dir, symlinks=True)
    return new_dir


@contextlib.contextmanager
def user(data_dir: Path) -> Iterator[subprocess.Popen[str]]:
    """Start another process that uses the server; end it at the end."""
    with subprocess.Popen(
        (sys.executable, "-c", _USER, str(data_dir)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("postgresql://")
        yield process


def answers(url: str) -> bool:
    """Tell whether a PostgreSQL can be used there."""
    try:
        with psycopg.connect(url) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.OperationalError:
        return False


def postmaster(data_dir: Path) -> int:
    """Return the id of PostgreSQL's main process."""
    return int((data_dir / "postgresql/server/cluster/postmaster.pid").read_text().split()[0])


def has_gone(process: int) -> bool:
    """Tell whether there is no such process."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    return False


def wait_until(fact: Callable[[], bool]) -> None:
    """Wait for a fact, for as long as a busy machine may need."""
    deadline = time.monotonic() + 60
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_is_there_until_it_is_stopped(new_dir: Path) -> None:
    """Start makes everything, stop returns when PostgreSQL has gone, data stays."""
    with EmbeddedServer.start(new_dir) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("create table kept (number int)")
        process = postmaster(new_dir)
    assert not answers(server.url)
    assert has_gone(process)
    with EmbeddedServer.start(new_dir) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("select * from kept").fetchall() == []


def test_its_url_never_changes(data_dir: Path) -> None:
    """Readers can know it before the server runs, and keep it when it is started again."""
    url = EmbeddedServer.url_of(data_dir)
    for _ in range(2):
        with EmbeddedServer.start(data_dir) as server:
            assert server.url == url
            assert answers(url)


def test_it_keeps_what_was_committed_safe(data_dir: Path) -> None:
    """PostgreSQL's own durability settings are untouched, and no port is open."""
    with EmbeddedServer.start(data_dir) as server, psycopg.connect(server.url) as connection:
        settings: dict[str, str] = dict(
            connection.execute(
                "select name, setting from pg_settings where name in ('fsync',"
                " 'synchronous_commit', 'full_page_writes', 'listen_addresses', 'data_checksums')"
            ).fetchall()
        )
    assert settings == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "data_checksums": "on",
        "listen_addresses": "",
    }


def test_the_views_need_no_schema_name(data_dir: Path) -> None:
    """`select * from logs` finds relayscope.logs."""
    with EmbeddedServer.start(data_dir) as server, psycopg.connect(server.url) as connection:
        assert connection.execute("show search_path").fetchone() == ("relayscope, public",)


def test_the_last_user_stops_it(data_dir: Path) -> None:
    """Two processes share a server; it does not matter which of them started it."""
    with user(data_dir) as first, EmbeddedServer.start(data_dir) as second:
        first.communicate()
        assert first.returncode == 0
        assert answers(second.url)
    assert not answers(second.url)


def test_readers_start_it_themselves_if_nobody_serves(data_dir: Path) -> None:
    """Joining works before, during and after the time that somebody serves."""
    with EmbeddedServer.start(data_dir), EmbeddedServer.join(data_dir) as reader:
        assert answers(reader.url)
    with EmbeddedServer.join(data_dir) as reader:
        assert answers(reader.url)
    assert not answers(reader.url)


def test_readers_do_not_make_a_database(new_dir: Path) -> None:
    """A mistyped folder is reported, not filled."""
    with pytest.raises(NoDatabase, match=new_dir.name):
        EmbeddedServer.join(new_dir)
    assert not new_dir.exists()


def test_a_killed_user_takes_it_along(data_dir: Path) -> None:
    """Kill -9 of the only user leaves nothing running, and nothing in the way of the next."""
    with user(data_dir) as process:
        server = postmaster(data_dir)
        process.kill()
    # Whoever asks at once may still find it running, and keeps it.
    wait_until(lambda: has_gone(server))
    with EmbeddedServer.start(data_dir) as again:
        assert answers(again.url)


def test_a_killed_user_leaves_it_to_the_others(data_dir: Path) -> None:
    """Kill -9 of the process that started it is not felt by the others."""
    with user(data_dir) as process, EmbeddedServer.start(data_dir) as server:
        process.kill()
        process.wait()
        assert answers(server.url)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGQUIT, signal.SIGTERM])
def test_a_killed_postgresql_is_started_again(data_dir: Path, how: signal.Signals) -> None:
    """As long as somebody uses it, it comes back, with what was committed."""
    with EmbeddedServer.start(data_dir) as server:
        with psycopg.connect(server.url) as connection:
            connection.execute("create table kept (number int)")
        old = postmaster(data_dir)
        os.kill(old, how)
        wait_until(lambda: answers(server.url) and postmaster(data_dir) != old)
        with psycopg.connect(server.url) as connection:
            assert connection.execute("select * from kept").fetchall() == []
    assert not answers(server.url)


def test_killed_altogether_it_starts_again(data_dir: Path) -> None:
    """Kill -9 of user, supervisor and PostgreSQL at once leaves nothing that stops the next."""
    with user(data_dir) as process:
        server = postmaster(data_dir)
        supervisor = int(Path(f"/proc/{server}/stat").read_text().rsplit(")", 1)[1].split()[1])
        for victim in (process.pid, supervisor, server):
            os.kill(victim, signal.SIGKILL)
    with EmbeddedServer.start(data_dir) as again:
        assert answers(again.url)


def test_a_killed_supervisor_is_replaced(data_dir: Path) -> None:
    """PostgreSQL does not outlive its supervisor for long, and the next start waits for that."""
    with EmbeddedServer.start(data_dir):
        server = postmaster(data_dir)
        supervisor = int(Path(f"/proc/{server}/stat").read_text().rsplit(")", 1)[1].split()[1])
        os.kill(supervisor, signal.SIGKILL)
        with EmbeddedServer.start(data_dir) as again:
            assert answers(again.url)
            assert postmaster(data_dir) != server


def test_a_stale_lock_file_is_in_nobodys_way(data_dir: Path) -> None:
    """Not even if the process it names exists again, as after a restart of a container."""
    with EmbeddedServer.start(data_dir) as server:
        content = (data_dir / "postgresql/server/cluster/postmaster.pid").read_text()
    lines = content.splitlines(keepends=True)
    stale = data_dir / "postgresql/server/cluster/postmaster.pid"
    stale.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))
    with EmbeddedServer.start(data_dir) as server:
        assert answers(server.url)


def test_an_unfinished_cluster_is_made_anew(new_dir: Path) -> None:
    """A process killed during the very first start leaves no half database behind."""
    unfinished = new_dir / "postgresql/server/cluster.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    with EmbeddedServer.start(new_dir) as server:
        assert answers(server.url)
    assert not unfinished.exists()


def test_it_says_why_it_does_not_start(data_dir: Path) -> None:
    """The error holds PostgreSQL's own words, and nothing is left running."""
    with EmbeddedServer.start(data_dir) as server:
        pass
    (data_dir / "postgresql/server/cluster/PG_VERSION").write_text("12\n")
    with pytest.raises(ServerDidNotStart, match="initialized by PostgreSQL version 12"):
        EmbeddedServer.start(data_dir)
    assert not answers(server.url)


@pytest.mark.parametrize("name", ["d" * 100, "a,b", 'ä €"%20'])
def test_it_works_in_any_folder(new_dir: Path, name: str) -> None:
    """Names that are too long for a socket, or mean something in a URL or to PostgreSQL.

    And wherever the sockets are, nobody else on the machine can connect.
    """
    with EmbeddedServer.start(new_dir / name) as server:
        assert answers(server.url)
        sockets = Path(str(psycopg.conninfo.conninfo_to_dict(server.url)["host"]))
        assert sockets.stat().st_mode & 0o077 == 0


def test_a_planted_folder_for_its_sockets_is_refused(new_dir: Path) -> None:
    """A stranger who gets there first, in a place where all may write, gets nothing."""
    deep = new_dir / ("d" * 100)
    url = EmbeddedServer.url_of(deep)
    planted = Path(str(psycopg.conninfo.conninfo_to_dict(url)["host"]))
    planted.mkdir(parents=True)
    planted.chmod(0o777)
    with pytest.raises(ServerDidNotStart, match="remove it"):
        EmbeddedServer.start(deep)
    planted.rmdir()
    with EmbeddedServer.start(deep) as server:
        assert answers(server.url)


def test_who_keeps_it_has_it_again_when_its_supervisor_is_killed(data_dir: Path) -> None:
    """Kill -9, twice: it is there again at the same URL, and ends with its user all the same."""
    with EmbeddedServer.start(data_dir) as server:
        server.keep()
        for _ in range(2):
            old = postmaster(data_dir)
            supervisor = int(Path(f"/proc/{old}/stat").read_text().rsplit(")", 1)[1].split()[1])
            os.kill(supervisor, signal.SIGKILL)
            wait_until(lambda old=old: has_gone(old) and answers(server.url))  # type: ignore[misc]  # bound now
    assert not answers(server.url)
