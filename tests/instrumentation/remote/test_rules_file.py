"""The file in which a host finds its levels: whatever else is there is refused, and told."""

import hashlib
import json
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relayscope.instrumentation.remote.rules_file import RulesFile

CONTENT = {"version": 1, "rules": [{"level": "TRACE"}]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A component's folder."""
    folder = tmp_path / "component"
    folder.mkdir(mode=0o700)
    return folder


def path_in(root: Path) -> Path:
    """Return the path of the file."""
    return root / "levels-there.json"


def forge(path: Path, **changed: Any) -> None:
    """Write a file as a forwarder does, but for some of its fields."""
    fields = {"hash": "00", "serial": 1, "written": time.time(), "content": CONTENT, **changed}
    body = json.dumps(fields).encode()
    path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
    path.chmod(0o600)


def test_what_was_written_is_read(root: Path) -> None:
    """For its user alone, and each later one has a larger number."""
    file = RulesFile(root, "there")
    assert file.mark() is None
    file.write("ab", CONTENT)
    first, mark = file.read(), file.mark()
    file.write("cd", {})

    assert (first.hash, first.content) == ("ab", CONTENT)
    assert file.read().serial > first.serial
    assert file.mark() != mark
    assert path_in(root).stat().st_mode & 0o077 == 0
    assert [path.name for path in root.iterdir()] == [path_in(root).name]


def _truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def _change(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"TRACE", b"DEBUG"))


def _lengthen(path: Path) -> None:
    forge(path, more="x" * 2**20)


def _age(path: Path) -> None:
    forge(path, written=time.time() - 25 * 3600)


def _open_to_others(path: Path) -> None:
    path.chmod(0o622)


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def _fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path, 0o600)


def _nest(path: Path) -> None:
    body = b"[" * 60_000
    path.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)


@pytest.mark.parametrize(
    "harm", [_truncate, _change, _lengthen, _age, _open_to_others, _link, _fifo, _nest]
)
def test_what_is_not_as_it_was_written_is_refused(root: Path, harm: Callable[[Path], None]) -> None:
    """Truncated, changed, oversized, stale, open to others, a link, a pipe, nested too deeply."""
    file = RulesFile(root, "there")
    file.write("ab", CONTENT)
    harm(path_in(root))

    with pytest.raises((OSError, ValueError), match=r"levels-there\.json"):
        file.read()

    # A forwarder puts its own in that place again.
    file.write("ab", CONTENT)
    assert file.read().hash == "ab"


def test_a_folder_that_others_can_write_to_is_refused(root: Path) -> None:
    """A user who can rename files there could put back an older one."""
    file = RulesFile(root, "there")
    file.write("ab", CONTENT)
    root.chmod(0o777)

    with pytest.raises(PermissionError):
        file.read()


@given(
    st.binary()
    | st.builds(lambda body: hashlib.sha256(body).hexdigest().encode() + b"\n" + body, st.binary())
)
def test_whatever_is_in_it_is_read_or_refused(tmp_path_factory: Any, content: bytes) -> None:
    """Nothing but what the caller is told to expect is raised."""
    folder = tmp_path_factory.mktemp("component")
    folder.chmod(0o700)
    path_in(folder).write_bytes(content)
    path_in(folder).chmod(0o600)

    with pytest.raises((OSError, ValueError)):
        RulesFile(folder, "there").read()


def test_it_can_be_read_at_any_moment(root: Path) -> None:
    """It is replaced as a whole: who reads it meanwhile finds the one or the other."""
    file = RulesFile(root, "there")
    file.write("00", {})
    is_over = threading.Event()

    def write() -> None:
        for number in range(100):
            file.write("ab", {"rules": ["x" * number * 100]})
        is_over.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not is_over.is_set():
        assert file.read().hash in {"00", "ab"}
    writer.join()
