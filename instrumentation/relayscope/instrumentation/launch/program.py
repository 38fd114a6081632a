"""The program that is to be run: which Python it is, and whether that can be instrumented."""

import os
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import dropwhile
from pathlib import Path
from typing import Final, NamedTuple

from relayscope.conventions.install_command import install_command

_PYTHON: Final = re.compile(r"(python|pypy)[\d.]*(\.exe)?", re.IGNORECASE)
_MOST_READ: Final = 4096
_LONG_PATH: Final = re.compile(rb"#!/bin/sh\n'''exec' (?P<line>[^\n]*) \"\$0\" \"\$@\"")
"""A script of an environment whose path is too long for a first line, or has a space, as pip and uv
write it: in quotes where a shell needs them."""

_BESIDE: Final = re.compile(
    re.escape(b"""#!/bin/sh\n'''exec' "$(dirname -- "$(realpath -- "$0")")"/'""")
    + rb"(?P<name>[^'/\n]+)' "
)
"""A script of an environment that can be moved, as `uvx` makes them: its Python is beside it."""

_LETTERS: Final = re.compile(r"-[bBdEiIOPqsSuvx]+")

_WITH_VALUE: Final = "cmWX"
"""Python's options that take a value; what follows `-c` and `-m` is the program's."""

_UNSEEN: Final = {
    "I": "Python's -I ignores what instruments it",
    "E": "Python's -E ignores what instruments it",
    "S": "Python's -S loads nothing that instruments it",
}

_OF_UV: Final = frozenset({"uv", "uvx"})

_PEX: Final = b".bootstrap/pex/"
"""Name of the first folder in a PEX. It starts its Python anew, with -E."""

_SECONDS: Final = 20
_OLDEST: Final = (3, 11)
"""The oldest Python that relayscope runs on, as `pyproject.toml` says."""

_PROBE: Final = (
    "import sys;print('%d.%d' % sys.version_info[:2]);"
    "from importlib.metadata import entry_points as e;"
    "print(len(e(group='opentelemetry_distro', name='relayscope')))"
)


class Lack(NamedTuple):
    """A want of a Python, and its cure, as sentences."""

    what: str
    cure: str


class Program(NamedTuple):
    """A command before it is run: its interpreter, if it is Python, and that one's options.

    Attributes:
        interpreter: The Python that runs it; None if it is something else.
        options: Those of this Python.
        is_pex: True if what it runs is a PEX.
        leads_to_python: True if it is no Python, and there to start one, which is asked then.
    """

    interpreter: str | None
    options: tuple[str, ...] = ()
    is_pex: bool = False
    leads_to_python: bool = False

    @classmethod
    def named(cls, executable: str, arguments: Sequence[str]) -> "Program":
        """Look at an executable, which may be a script that says what runs it."""
        if _is_python(executable):
            _, script = _letters_and_script(arguments)
            return cls(executable, tuple(arguments), script is not None and _is_pex(script))
        line = _first_line(Path(executable))
        if line[:1] and Path(line[0]).name == "env":
            line = [*dropwhile(lambda word: word.startswith("-") or "=" in word, line[1:])]
            line[:1] = [shutil.which(line[0]) or line[0]] if line else []
        if not line or not _is_python(line[0]):
            return cls(None, leads_to_python=Path(executable).stem in _OF_UV)
        return cls(line[0], tuple(line[1:]), _is_pex(executable))

    @property
    def unseen(self) -> str | None:
        """The reason why nothing will ever be seen of it; None if there is none."""
        if self.leads_to_python:
            return None
        if self.interpreter is None:
            return "it is not Python; only Python programs that it starts may be seen"
        if self.is_pex:
            return "it is a PEX, which starts its Python so that nothing instruments it"
        letters, _ = _letters_and_script(self.options)
        return next((why for letter, why in _UNSEEN.items() if letter in letters), None)

    @property
    def is_isolated(self) -> bool:
        """True if its Python's own options are one-letter ones, and one of them is `-E`."""
        letters, _ = _letters_and_script(self.options)
        return "E" in letters and all(map(_LETTERS.fullmatch, self.options))

    @property
    def lack(self) -> "Lack | None":
        """The want of its Python, which is asked; None if it has relayscope."""
        if self.interpreter is None or _is_of_our_environment(self.interpreter):
            return None
        import subprocess  # noqa: PLC0415  # needed for other environments only

        try:
            asked = subprocess.run(  # noqa: S603  # the program that the user wants to be run
                [self.interpreter, "-c", _PROBE],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        version, found = [*asked.stdout.decode("ascii", "replace").split(), "", ""][:2]
        if found not in ("", "0"):
            return None
        if re.fullmatch(r"[23]\.\d+", version) and tuple(map(int, version.split("."))) < _OLDEST:
            wanted = ".".join(map(str, _OLDEST))
            return Lack(
                f"{self.interpreter} is Python {version}, and relayscope needs {wanted} or newer",
                "Give the program such a Python",
            )
        command = install_command(self.interpreter, "relayscope")
        return Lack(f"{self.interpreter} has no relayscope", f"Install it there (`{command}`)")


def _is_python(executable: str) -> bool:
    return _PYTHON.fullmatch(Path(executable).name) is not None


def _is_pex(script: str) -> bool:
    return _PEX in _head(Path(script))


def _is_of_our_environment(interpreter: str) -> bool:
    # Not resolved: the Pythons of all environments lead to the same file.
    return Path(interpreter).absolute().parent == Path(sys.executable).absolute().parent


def _first_line(script: Path) -> list[str]:
    """The words of a script's first line; none if it has no such line."""
    head = _head(script)
    if found := _BESIDE.match(head):
        return [str(script.resolve().parent / os.fsdecode(found["name"]))]
    if found := _LONG_PATH.match(head):
        with suppress(ValueError):  # Quotes that do not end: not what they write.
            return shlex.split(os.fsdecode(found["line"]))[:1]
        return []
    if not head.startswith(b"#!"):
        return []
    return os.fsdecode(head[2:].split(b"\n", 1)[0]).split()


def _head(file: Path) -> bytes:
    """The beginning of a file; nothing of one that cannot be read, or only once, as a pipe."""
    try:
        if not file.is_file():
            return b""
        with file.open("rb") as opened:
            return opened.read(_MOST_READ)
    except OSError:
        return b""


def _letters_and_script(options: Iterable[str]) -> tuple[str, str | None]:
    """The one-letter options before the program, and the program if that is a file."""
    letters = ""
    options = iter(options)
    for option in options:
        if option == "--":
            return letters, next(options, None)
        if not option.startswith("-"):
            return letters, option
        if option == "-":
            break
        if option.startswith("--"):
            continue
        end = next((at for at, letter in enumerate(option) if letter in _WITH_VALUE), None)
        letters += option[1:end]
        if end is None:
            continue
        if option[end] in "cm":
            break
        if end == len(option) - 1:
            next(options, None)
    return letters, None
