"""Promises of the wheel: what is installed is whole, and is one namespace."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests.fix_programs import host_environment, run

ROOT = Path(__file__).parents[1]
PACKAGES = ("collector", "conventions", "instrumentation", "sanitizer", "spool", "storage")
DATA = (
    "relayscope/collector/page/static/page.css",
    "relayscope/collector/page/templates/base.html",
    "relayscope/collector/query/queries.sql",
    "relayscope/sanitizer/default_rules.toml",
    "relayscope/storage/migrations/versions/v0001/tables.sql",
)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that a user would install."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", str(ROOT)]
    subprocess.run([*command, "--wheel-dir", str(folder)], check=True, capture_output=True)
    (built,) = folder.glob("relayscope-*.whl")
    return built


def test_the_wheel_has_every_package_typed_and_with_its_data(wheel: Path) -> None:
    """Each package has its marker for type checkers, and what it reads at run time is there."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())

    assert {f"relayscope/{package}/py.typed" for package in PACKAGES} <= names
    assert set(DATA) <= names


def test_the_namespace_belongs_to_no_package(wheel: Path) -> None:
    """There is no `relayscope/__init__.py`: it would hide the other portions."""
    with zipfile.ZipFile(wheel) as archive:
        assert "relayscope/__init__.py" not in archive.namelist()
    assert list(ROOT.glob("*/relayscope/__init__.py")) == []


def test_every_package_can_be_imported_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """Not only from the checkout: unpacked elsewhere, all of them are found there."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    program = (
        "import importlib, relayscope, sys\n"
        "assert relayscope.__file__ is None\n"
        "relayscope.__path__ = [sys.argv[1] + '/relayscope']\n"
        "for name in sys.argv[2:]:\n"
        "    print(importlib.import_module('relayscope.' + name).__file__)\n"
    )

    finished = run(
        [sys.executable, "-c", program, str(tmp_path), *PACKAGES], host_environment(), cwd=tmp_path
    )

    assert finished.stderr == ""
    assert finished.stdout.splitlines() == [
        str(tmp_path / "relayscope" / package / "__init__.py") for package in PACKAGES
    ]


def test_the_command_says_what_to_install_where_the_collector_is_not(
    wheel: Path, tmp_path: Path
) -> None:
    """In one line, with the environment in it: relayscope alone is enough for what is traced."""
    venv.create(tmp_path / "venv", with_pip=False)
    (site,) = (tmp_path / "venv").glob("lib/python*/site-packages")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    python = tmp_path / "venv" / "bin" / "python"

    for arguments in (["trace", "--last"], ["--help"]):
        finished = run([str(python), "-m", "relayscope.collector", *arguments], host_environment())
        assert finished.returncode == 1
        assert finished.stdout == ""
        (line,) = finished.stderr.splitlines()
        assert line.endswith(f"{python} -m pip install 'relayscope[collector]'")
