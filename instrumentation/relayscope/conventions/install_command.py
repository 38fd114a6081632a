"""The command that adds a package to an environment: environments of uv and pipx have no pip."""

import shlex
from pathlib import Path
from typing import Final

_OF_UV_TOOL: Final = "uv-receipt.toml"
_OF_PIPX: Final = "pipx_metadata.json"
_OF_VENV: Final = "pyvenv.cfg"
_PIP: Final = ("lib/python*/site-packages/pip", "Lib/site-packages/pip")
_MOST_READ: Final = 4096


def install_command(python: str, requirement: str) -> str:
    """Return what to type so that an environment has a package, or one more of its extras.

    Args:
        python: The Python of the environment.
        requirement: The package, as pip takes it.
    """
    # Not resolved: the Pythons of all environments lead to the same file.
    folder = Path(python).absolute().parent.parent
    wanted = shlex.quote(requirement)
    name = shlex.quote(folder.name)
    is_its_own = requirement.partition("[")[0] == folder.name
    if _is_file(folder / _OF_UV_TOOL):
        return f"uv tool install {wanted if is_its_own else f'{name} --with {wanted}'}"
    if _is_file(folder / _OF_PIPX):
        # Without --force, pipx adds no extra to what is there.
        return f"pipx {'install' if is_its_own else f'inject {name}'} --force {wanted}"
    if _is_of_uv(folder):
        return f"uv pip install --python {shlex.quote(python)} {wanted}"
    return f"{shlex.quote(python)} -m pip install {wanted}"


def _is_of_uv(folder: Path) -> bool:
    """Return whether uv has made an environment, and put no pip into it."""
    try:
        with (folder / _OF_VENV).open(encoding="utf-8", errors="replace") as file:
            lines = file.read(_MOST_READ).splitlines()
        if any(any(folder.glob(pattern)) for pattern in _PIP):
            return False
    except OSError:
        return False
    return any(line.partition("=")[0].strip() == "uv" for line in lines)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
