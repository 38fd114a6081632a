"""The rounds behind `make matrix`: all tests with whatever Python and PostgreSQL is here.

usage: python -m tests.matrix [--only NAME] [make's arguments, such as test-fast]

Each round has a clone of what is committed, with environments of its own. A PostgreSQL that is not
the embedded one gets a cluster in a temporary folder. Prints what passed, what failed, and what
this machine lacks; ends with 1 if anything failed.
"""

from __future__ import annotations

import argparse
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ROOT: Final = Path(__file__).parents[1]
CLONES: Final = ROOT / "build" / "matrix"
PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")
POSTGRESQLS: Final = ("15",)
NEWEST: Final = "newest releases"

PASSED: Final = "passed"
FAILED: Final = "failed"


def interpreter(version: str) -> str | None:
    """Return the path of a Python, where pyenv and uv keep theirs or on PATH."""
    folders = (Path.home() / ".pyenv/versions", Path.home() / ".local/share/uv/python")
    patterns = (f"{version}.*/bin/python3", f"cpython-{version}.*/bin/python3")
    kept = [
        str(found)
        for folder, pattern in zip(folders, patterns, strict=True)
        for found in sorted(folder.glob(pattern))
    ]
    # What pyenv has on PATH works only for the versions that are chosen there.
    return kept[-1] if kept else shutil.which(f"python{version}")


def server(version: str) -> Path | None:
    """Return the folder of a PostgreSQL's programs, as Debian installs them."""
    folder = Path("/usr/lib/postgresql") / version / "bin"
    return folder if (folder / "initdb").exists() else None


@contextmanager
def cluster(programs: Path) -> Iterator[str]:
    """Yield the URL of a server of that version, which loses everything in a crash."""
    # It refuses to work for root.
    user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
    become = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="rs-") as folder:
        shutil.chown(folder, user)
        data = f"{folder}/data"
        options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
        control = [*become, str(programs / "pg_ctl"), "--pgdata", data, "--wait"]
        made = [*become, str(programs / "initdb"), "--pgdata", data, "--auth", "trust"]
        subprocess.run([*made, "--encoding", "UTF8"], check=True, stdout=subprocess.DEVNULL)
        started = [*control, "--log", f"{folder}/log", "--options", options, "start"]
        subprocess.run(started, check=True, stdout=subprocess.DEVNULL)
        try:
            yield f"postgresql://{user}@/postgres?host={folder}"
        finally:
            stopped = [*control, "--mode", "immediate", "stop"]
            subprocess.run(stopped, check=True, stdout=subprocess.DEVNULL)


def passes(name: str, python: str, arguments: list[str], **variables: str) -> str:
    """Run make in a clone of what is committed; return what came of it."""
    clone = CLONES / name.lower().replace(" ", "-")
    if not clone.exists():
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    subprocess.run(["git", "-C", str(clone), "pull", "--quiet", "--ff-only"], check=True)
    command = ["make", "-C", str(clone), f"PYTHON={python}", *arguments]
    code = subprocess.run(command, env=os.environ | variables, check=False).returncode
    return FAILED if code else PASSED


def with_python(version: str, arguments: list[str]) -> str:
    """Run all with a Python."""
    python = interpreter(version)
    if python is None:
        return f"missing: there is no Python {version} from pyenv or uv, nor on PATH"
    return passes(f"Python {version}", python, arguments)


def with_postgresql(version: str, arguments: list[str]) -> str:
    """Run all with a PostgreSQL of Debian's."""
    programs = server(version)
    if programs is None:
        return f"missing: Debian's package postgresql-{version} is not installed"
    with cluster(programs) as url:
        name = f"PostgreSQL {version}"
        return passes(name, sys.executable, arguments, RELAYSCOPE_TEST_DATABASE_URL=url)


def with_newest(arguments: list[str]) -> str:
    """Run all with the newest release of every dependency, whatever the pins say."""
    return passes(NEWEST, sys.executable, [*arguments, "CONSTRAINTS="])


def rounds() -> dict[str, Callable[[list[str]], str]]:
    """All that there are, by their names."""
    named: dict[str, Callable[[list[str]], str]] = {
        f"Python {version}": partial(with_python, version) for version in PYTHONS
    }
    named |= {f"PostgreSQL {version}": partial(with_postgresql, version) for version in POSTGRESQLS}
    return named | {NEWEST: with_newest}


def main() -> None:
    """Run all that can be run here."""
    named = rounds()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=named, help="one round")
    parser.add_argument("arguments", nargs="*", default=["test"], help="what make is given")
    options = parser.parse_args()
    outcomes = {
        name: play(options.arguments)
        for name, play in named.items()
        if options.only in {None, name}
    }
    print("Each Python is tested with the embedded PostgreSQL, which is the newest.")
    for name, outcome in outcomes.items():
        print(f"{name:<16} {outcome}")
    if options.only:
        print(f"left out: {', '.join(sorted(named.keys() - outcomes.keys()))}")
    sys.exit(FAILED in outcomes.values())


if __name__ == "__main__":
    main()
