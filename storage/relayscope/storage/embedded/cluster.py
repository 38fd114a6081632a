"""A new cluster of PostgreSQL's, made by `initdb`.

The supervisor runs this by path, before any package can be imported, so it imports nothing of ours.
"""

import subprocess
from collections.abc import Collection
from pathlib import Path


def make_cluster(programs: Path, data: Path, inherited: Collection[int], maker: int | None) -> str:
    """Make a cluster in an empty folder.

    Args:
        programs: PostgreSQL's.
        data: The folder, by a path that the maker can use.
        inherited: The descriptors that the path goes through.
        maker: The id of the user who makes it, if root asks.

    Returns:
        The error's text; empty if all went well.
    """
    initdb = subprocess.run(  # noqa: S603  # From our own dependency.
        (
            programs / "initdb",
            "--username=relayscope",
            "--auth-local=peer",
            "--auth-host=reject",
            "--encoding=UTF8",
            # Sorting that is the same on every system, and after every update of it.
            "--locale-provider=builtin",
            "--locale=C.UTF-8",
            f"--pgdata={data}",
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        pass_fds=inherited,
        cwd="/",
        user=maker,
        group=maker if maker is None else data.stat().st_gid,
        extra_groups=None if maker is None else (),
    )
    return initdb.stderr.decode(errors="replace").strip() if initdb.returncode else ""
