"""A compiled search is kept for the next process, and trusted only if the file is ours."""

import os
from pathlib import Path
from typing import Final

import pytest

from relayscope.sanitizer.search import multi_search
from relayscope.sanitizer.search.compiled_search import CompiledSearch
from relayscope.sanitizer.search.multi_search import Expression, MultiSearch

TOKEN: Final = [Expression("tok[a-z]n")]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's cache folder, new and empty."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path / "relayscope"


def found(search: MultiSearch) -> list[tuple[int, int]]:
    """Return the places at which the search finds something in a text."""
    matches: list[tuple[int, int]] = []
    search.search(b"a token here", lambda _, start, end, *__: matches.append((start, end)))
    return matches


def test_a_search_is_compiled_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second process reads what the first has left, and finds the same."""
    assert found(MultiSearch.where(TOKEN)) == [(2, 7)]
    (kept,) = folder.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600

    class Compiling(multi_search.hyperscan.Database):  # type: ignore[misc]  # of any type, without stubs
        def compile(self, **_: object) -> None:
            pytest.fail("was compiled anew")

    monkeypatch.setattr(multi_search.hyperscan, "Database", Compiling)
    assert found(MultiSearch.where(TOKEN)) == [(2, 7)]


@pytest.mark.parametrize("damage", [b"", b"x" * 10_000, None])
def test_a_damaged_file_is_compiled_anew(folder: Path, damage: bytes | None) -> None:
    """An empty file, another file, and one with a wrong byte are all damaged."""
    MultiSearch.where(TOKEN)
    (kept,) = folder.iterdir()
    whole = kept.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    kept.write_bytes(flipped if damage is None else damage)

    assert found(MultiSearch.where(TOKEN)) == [(2, 7)]
    assert kept.read_bytes() == whole


def test_other_expressions_have_another_file(folder: Path) -> None:
    """Rules that have changed find what they say now."""
    MultiSearch.where(TOKEN)
    assert found(MultiSearch.where([Expression("HERE", ignores_case=True)])) == [(8, 12)]
    assert found(MultiSearch.where([Expression("HERE")])) == []
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("mode", [0o620, 0o602])
def test_a_file_that_others_can_write_is_not_read(folder: Path, mode: int) -> None:
    """Nor is one in a folder that they can write."""
    kept = CompiledSearch("x")
    kept.store(b"whatever")
    assert kept.load() == b"whatever"
    (file,) = folder.iterdir()
    file.chmod(mode)
    assert kept.load() is None
    file.chmod(0o600)
    folder.chmod(mode | 0o100)
    assert kept.load() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_file_of_somebody_else_is_not_read(folder: Path) -> None:
    """A file that belongs to another user is not trusted."""
    kept = CompiledSearch("x")
    kept.store(b"whatever")
    (file,) = folder.iterdir()
    os.chown(file, 54321, 54321)
    assert kept.load() is None


def test_neither_a_link_nor_a_pipe_is_opened(folder: Path) -> None:
    """They lead elsewhere, or would be waited for."""
    kept = CompiledSearch("x")
    kept.store(b"whatever")
    (file,) = folder.iterdir()
    elsewhere = file.rename(folder / "elsewhere")
    file.symlink_to(elsewhere)
    assert kept.load() is None
    file.unlink()
    os.mkfifo(file, 0o600)
    assert kept.load() is None


def test_without_a_place_for_it_a_search_is_compiled_each_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A read-only home, or none, costs time and nothing else."""
    folder.write_text("a file where the folder should be")
    assert found(MultiSearch.where(TOKEN)) == [(2, 7)]
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    assert found(MultiSearch.where(TOKEN)) == [(2, 7)]
