"""Promises about programs that another Python runs than the one of relayscope-instrument."""

import re
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from relayscope.instrumentation.launch.program import Program
from tests.fix_programs import SCRIPTS, Run, host_environment, run

ROOT = Path(__file__).parents[3]
"""The checkout from which relayscope is installed here, and is to be installed there."""

OPTIONS = ["-c", "print('ran')"]

_AS_PEX_DOES = """
import os, sys
if not sys.flags.ignore_environment:
    os.execv(sys.executable, [sys.executable, "-sE", sys.argv[0]])
print("ran, traced by", sys.modules.get("relayscope.instrumentation"))
"""


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python without relayscope."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    return str(folder / "bin" / "python")


def traced(*arguments: str, **variables: str) -> Run:
    """Run relayscope-instrument."""
    environment = host_environment(
        OTEL_TRACES_EXPORTER="none", OTEL_LOGS_EXPORTER="none", **variables
    )
    return run([str(SCRIPTS / "relayscope-instrument"), *arguments], environment)


def script(path: Path, first_line: str) -> str:
    """Make a program of a first line."""
    path.write_text(f"{first_line}\nprint('ran')\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("kind", ["python", "script", "script with a long path"])
def test_a_python_without_relayscope_is_not_started(bare: str, kind: str, tmp_path: Path) -> None:
    """One line says what to install where, and the exit status is 2."""
    command = {
        "python": [bare, *OPTIONS],
        "script": [script(tmp_path / "server", f"#!{bare}")],
        "script with a long path": [
            script(tmp_path / "server", f"#!/bin/sh\n'''exec' {bare} \"$0\" \"$@\"\n' '''")
        ],
    }[kind]

    finished = traced("--", *command)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert f"{bare} -m pip install {ROOT}`" in finished.stderr
    assert "--force" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_a_python_that_is_too_old_is_told_the_one_that_is_needed(tmp_path: Path) -> None:
    """Nothing can be installed there, so that saying where would cost an evening."""
    (oldest,) = re.findall(r'requires-python = ">=(.*)"', (ROOT / "pyproject.toml").read_text())
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\necho 3.10\nexit 1\n")
    old.chmod(0o755)

    finished = traced("--", str(old), *OPTIONS)

    assert (finished.returncode, finished.stdout) == (2, "")
    assert f"is Python 3.10, and relayscope needs {oldest} or newer" in finished.stderr
    assert "install" not in finished.stderr.lower()
    assert len(finished.stderr.splitlines()) == 1


def test_with_force_it_runs_untraced(bare: str) -> None:
    """It runs as without relayscope; one line says that nothing will be seen."""
    finished = traced("--force", "--", bare, *OPTIONS)

    assert (finished.returncode, finished.stdout) == (0, "ran\n")
    assert "nothing will be seen" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "command",
    [
        [sys.executable, "-I", *OPTIONS],
        [sys.executable, "-B", "-E", *OPTIONS],
        [sys.executable, "-W", "error", "-BS", *OPTIONS],
        ["sh", "-c", "echo ran"],
    ],
)
def test_what_cannot_be_seen_is_told(command: list[str]) -> None:
    """One line on stderr says that nothing will be seen, and the program runs."""
    finished = traced("--", *command)

    assert (finished.returncode, finished.stdout) == (0, "ran\n")
    assert "nothing will be seen" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


_TELLS = """
import sys
traced = "relayscope.instrumentation" in sys.modules
print(traced, sys.flags.ignore_environment, sys.flags.no_user_site, sys.argv[1:])
"""


@pytest.mark.parametrize("options", ["-E", "-sE"])
def test_a_script_as_pipx_writes_it_is_traced(options: str, tmp_path: Path) -> None:
    """Its first line has `-E`, which ignores what instruments it; its other options stay."""
    found = script(tmp_path / "server", f"#!{sys.executable} {options}\n{_TELLS}")

    finished = traced("--", found, "-E", "x", PYTHONUNBUFFERED="1")

    no_user_site = int("s" in options)
    assert finished.stdout == f"True 0 {no_user_site} ['-E', 'x']\nran\n"
    assert (finished.returncode, finished.stderr) == (0, "")


def test_a_script_that_is_kept_from_a_pythonpath_stays_so_and_is_told(tmp_path: Path) -> None:
    """One line says how it is seen all the same; so does what it has to be started as."""
    found = script(tmp_path / "server", f"#!{sys.executable} -E\n{_TELLS}")
    others = {"PYTHONPATH": str(tmp_path / "others")}

    finished = traced("--", found, **others)
    told = finished.stderr.split("`")[1].split()

    assert finished.stdout == "False 1 0 []\nran\n"
    assert len(finished.stderr.splitlines()) == 1
    assert traced(*told, **others).stdout == "True 0 0 []\nran\n"


@pytest.mark.parametrize(
    ("kept", "command"),
    [
        ("uv-receipt.toml", "uv tool install NAME --with ROOT"),
        ("pipx_metadata.json", "pipx inject NAME --force ROOT"),
        ("pyvenv.cfg", "uv pip install --python PYTHON ROOT"),
    ],
)
def test_an_environment_without_pip_is_told_what_its_maker_is_told(
    kept: str, command: str, tmp_path: Path
) -> None:
    """Those of uv and pipx have no pip; they are known by a file that is in them."""
    venv.create(tmp_path / "env", symlinks=True)
    with (tmp_path / "env" / kept).open("a") as file:
        file.write("uv = 0.9\n")
    python = str(tmp_path / "env/bin/python")

    finished = traced("--", python, *OPTIONS)

    assert finished.returncode == 2
    for word, meant in (("NAME", "env"), ("PYTHON", python), ("ROOT", str(ROOT))):
        command = command.replace(word, meant)
    assert f"`{command}`" in finished.stderr


@pytest.mark.parametrize("start", [[sys.executable, "-u"], [sys.executable, "--"], []])
def test_of_a_pex_nothing_is_said_to_be_seen(start: list[str], tmp_path: Path) -> None:
    """It starts its Python anew, which then ignores what instruments it, and says nothing."""
    pex = tmp_path / "server.pex"
    with pex.open("wb") as file:
        file.write(f"#!{sys.executable}\n".encode())
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(".bootstrap/pex/__init__.py", "")
            archive.writestr("__main__.py", _AS_PEX_DOES)
    pex.chmod(0o755)

    finished = traced("--", *start, str(pex))

    assert (finished.returncode, finished.stdout) == (0, "ran, traced by None\n")
    assert "nothing will be seen" in finished.stderr
    assert "it is a PEX" in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


@pytest.mark.skipif(not Path("/bin/bash").exists(), reason="process substitution is bash's")
def test_a_program_that_can_be_read_once_is_read_by_python_alone() -> None:
    """It comes out of a pipe, as bash's `<(...)` does: whoever looks at it takes it away."""
    line = f"'{SCRIPTS / 'relayscope-instrument'}' -- '{sys.executable}' <(echo \"print('ran')\")"
    environment = host_environment(OTEL_TRACES_EXPORTER="none", OTEL_LOGS_EXPORTER="none")

    finished = run(["/bin/bash", "-c", line], environment)

    assert (finished.returncode, finished.stdout) == (0, "ran\n")


@pytest.mark.parametrize("name", ["uv", "uvx"])
def test_of_what_starts_a_python_that_python_is_asked(name: str, bare: str, tmp_path: Path) -> None:
    """Nothing is said of one that has relayscope; one of uv's cache is told how it gets there."""
    (tmp_path / "bin").mkdir()
    uvx = tmp_path / "bin" / name
    uvx.write_text('#!/bin/sh\nexec "$@"\n')
    uvx.chmod(0o755)
    cached = tmp_path / "uv/archive-v0/x"
    cached.parent.mkdir(parents=True)
    cached.symlink_to(Path(bare).parent.parent)

    has_it = traced("--", str(uvx), sys.executable, *OPTIONS)
    has_none = traced("--", str(uvx), str(cached / "bin/python"), *OPTIONS)

    assert (has_it.stdout, has_it.stderr) == ("ran\n", "")
    assert has_none.stdout == "ran\n"
    assert len(has_none.stderr.splitlines()) == 1
    assert "--with relayscope" in has_none.stderr


def test_who_wants_quiet_has_it() -> None:
    """`RELAYSCOPE_QUIET` silences what is said of relayscope itself."""
    finished = traced("--", "sh", "-c", "echo ran", RELAYSCOPE_QUIET="1")

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, "ran\n", "")


@pytest.mark.parametrize(
    ("options", "is_seen"),
    [
        (["-c", "pass", "-I"], True),
        (["relay.py", "-E"], True),
        (["-m", "relay", "-S"], True),
        (["-X", "dev", "-u", "relay.py"], True),
        (["-Wignore", "-I", "relay.py"], False),
        (["-sE", "relay.py"], False),
        (["-IBc", "pass"], False),
        ([], True),
    ],
)
def test_only_pythons_own_options_count(options: list[str], is_seen: bool) -> None:  # noqa: FBT001  # a column of the table
    """The same letters are the program's own business after it."""
    assert (Program.named("/usr/bin/python3", options).unseen is None) is is_seen


@pytest.mark.parametrize(
    ("line", "interpreter", "options"),
    [
        ("#!/opt/env/bin/python3.12", "/opt/env/bin/python3.12", ()),
        ("#!/usr/bin/python3 -Es", "/usr/bin/python3", ("-Es",)),
        ("#! /usr/bin/env -S nosuch=1 /opt/python -u", "/opt/python", ("-u",)),
        ("#!/usr/bin/node", None, ()),
        ("", None, ()),
        ("#!", None, ()),
        ("#!/usr/bin/env", None, ()),
    ],
)
def test_a_scripts_first_line_says_what_runs_it(
    line: str, interpreter: str | None, options: tuple[str, ...], tmp_path: Path
) -> None:
    """As the system reads it."""
    assert Program.named(script(tmp_path / "server", line), ["-I"]) == Program(interpreter, options)


def test_a_script_of_a_movable_environment_is_run_by_the_python_beside_it(tmp_path: Path) -> None:
    """As `uvx` makes them; also through a link to it."""
    folder = tmp_path / "environment" / "bin"
    folder.mkdir(parents=True)
    found = script(
        folder / "server",
        """#!/bin/sh\n'''exec' "$(dirname -- "$(realpath -- "$0")")"/'python3' "$0" "$@"\n' '''""",
    )
    link = tmp_path / "server"
    link.symlink_to(found)
    for name in (found, str(link)):
        assert Program.named(name, ["-I"]) == Program(str(folder.resolve() / "python3"))


@pytest.mark.parametrize("quote", ["'", '"'])
def test_a_script_of_an_environment_with_a_space_in_its_path_is_python(
    quote: str, tmp_path: Path
) -> None:
    """As uv writes it, and as pip does."""
    line = f"'''exec' {quote}/a b/bin/python{quote} \"$0\" \"$@\""
    found = script(tmp_path / "server", f"#!/bin/sh\n{line}\n' '''")

    assert Program.named(found, []) == Program("/a b/bin/python")
