"""The steps of `make release`: version, changelog, wheel, sdist, and a look at what was built.

usage: python -m tests.release [VERSION]

With a version, writes it into pyproject.toml and over what is unreleased in CHANGELOG.md. Builds
both archives into `dist`, installs the wheel into a fresh environment, and runs its commands there.
Publishes nothing; prints what remains to be done by hand.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
PROJECT: Final = ROOT / "pyproject.toml"
CHANGELOG: Final = ROOT / "CHANGELOG.md"
DIST: Final = ROOT / "dist"
UNRELEASED: Final = "## [Unreleased]\n"
_VERSION: Final = re.compile(r"\d+\.\d+\.\d+((a|b|rc)\d+)?")
_SECONDS: Final = 600


def dated(changelog: str, version: str, day: str) -> str:
    """Return a changelog in which what was unreleased is that version's.

    Raises:
        ValueError: Nothing is unreleased, or the version has been released already.
    """
    if f"## [{version}]" in changelog:
        raise ValueError(f"CHANGELOG.md has a version {version} already; choose another.")
    _, heading, rest = changelog.partition(UNRELEASED)
    if not heading or not rest.split("\n## ", 1)[0].strip():
        raise ValueError("CHANGELOG.md has nothing under [Unreleased]; say what has changed.")
    return changelog.replace(UNRELEASED, f"{UNRELEASED}\n## [{version}] - {day}\n", 1)


def versioned(project: str, version: str) -> str:
    """Return a pyproject.toml with another version.

    Raises:
        ValueError: It is none.
    """
    if not _VERSION.fullmatch(version):
        raise ValueError(f"{version!r} is no version; write 0.2.0 or 0.2.0rc1.")
    return re.sub(
        r'^version = ".*"$', f'version = "{version}"', project, count=1, flags=re.MULTILINE
    )


def check(wheel: Path) -> None:
    """Install a wheel into a fresh environment; run each command, and a collector to its end."""
    with tempfile.TemporaryDirectory(prefix="rs-") as folder:
        programs = Path(folder, "venv", "bin")
        _run(sys.executable, "-m", "venv", str(programs.parent))
        _run(str(programs / "python"), "-m", "pip", "install", "--quiet", f"{wheel}[collector]")
        _run(str(programs / "python"), "-m", "pip", "check")
        for command in ("relayscope", "relayscope-instrument"):
            _run(str(programs / command), "--version")
        traced = [str(programs / "python"), "-c", "print('traced')"]
        _run(str(programs / "relayscope-instrument"), "--", *traced)
        _serve(programs / "relayscope", Path(folder, "data"))


def _serve(command: Path, data: Path) -> None:
    ports = ["--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0"]
    with subprocess.Popen(
        [command, "serve", "--data-dir", data, *ports], stderr=subprocess.PIPE, text=True
    ) as collector:
        assert collector.stderr is not None
        for line in collector.stderr:
            if '"ready"' in line:
                collector.terminate()
    if collector.returncode != 0:
        raise subprocess.CalledProcessError(collector.returncode, f"{command} serve")


def _run(*command: str) -> None:
    subprocess.run(command, check=True, cwd=tempfile.gettempdir(), timeout=_SECONDS)


def main() -> None:
    """Make a release; publish nothing."""
    if len(sys.argv) > 1:
        version = sys.argv[1]
        try:
            project = versioned(PROJECT.read_text(), version)
            changelog = dated(CHANGELOG.read_text(), version, f"{datetime.now(UTC):%Y-%m-%d}")
        except ValueError as error:
            sys.exit(str(error))
        PROJECT.write_text(project)
        CHANGELOG.write_text(changelog)
    version = tomllib.loads(PROJECT.read_text())["project"]["version"]
    subprocess.run([sys.executable, "-m", "build", "--outdir", DIST, ROOT], check=True)
    check(DIST / f"relayscope-{version}-py3-none-any.whl")
    print(f"{version} is in {DIST}, and works in a fresh environment. Nothing is published. Then:")
    print(f"  git commit -am 'Version {version}' && git tag v{version}")
    print(f"  twine upload {DIST.name}/relayscope-{version}*")


if __name__ == "__main__":
    main()
