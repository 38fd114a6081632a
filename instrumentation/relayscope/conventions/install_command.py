"""The command that adds a package to an environment: environments of uv and pipx have no pip."""

import shlex
from pathlib import Path
from typing import Final

_OURS: Final = "relayscope"
_OF_UV_TOOL: Final = "uv-receipt.toml"
_OF_PIPX: Final = "pipx_metadata.json"
_OF_VENV: Final = "pyvenv.cfg"
_PIP: Final = ("lib/python*/site-packages/pip", "Lib/site-packages/pip")
_MOST_READ: Final = 4096


def install_command(python: str, requirement: str) -> str:
    """Return what to type so that an environment has a package, or one more of its extras.

    Args:
        python: The Python of the environment.
        requirement: The package, as pip takes it; relayscope is taken from where it came from here.
    """
    # Not resolved: the Pythons of all environments lead to the same file.
    folder = Path(python).absolute().parent.parent
    wanted = shlex.quote(_where_it_is(requirement))
    name = shlex.quote(folder.name)
    is_its_own = folder.name == _OURS and requirement.startswith(_OURS)
    if _is_file(folder / _OF_UV_TOOL):
        return f"uv tool install {wanted if is_its_own else f'{name} --with {wanted}'}"
    if _is_file(folder / _OF_PIPX):
        # Without --force, pipx adds no extra to what is there.
        return f"pipx {'install' if is_its_own else f'inject {name}'} --force {wanted}"
    if _is_of_uv(folder):
        return f"uv pip install --python {shlex.quote(python)} {wanted}"
    return f"{shlex.quote(python)} -m pip install {wanted}"


def _where_it_is(requirement: str) -> str:
    """Return a requirement with the checkout, wheel or repository from which relayscope is here."""
    name, bracket, extras = requirement.partition("[")
    if name != _OURS:
        return requirement
    # They take 20 ms, and are needed only where something is missing.
    import json  # noqa: PLC0415
    from importlib.metadata import distribution  # noqa: PLC0415
    from urllib.parse import urlsplit  # noqa: PLC0415
    from urllib.request import url2pathname  # noqa: PLC0415

    try:
        origin = json.loads(distribution(_OURS).read_text("direct_url.json") or "{}")
        if not origin:
            return requirement
        url = origin["url"]
        if "vcs_info" in origin:
            version = origin["vcs_info"]
            return f"{requirement} @ {version['vcs']}+{url}@{version['commit_id']}"
        if url.startswith("file:"):
            return f"{url2pathname(urlsplit(url).path)}{bracket}{extras}"
    except (ImportError, OSError, ValueError, LookupError, TypeError, AttributeError):
        return requirement  # Whoever has installed it wrote something else there.
    return f"{requirement} @ {url}"


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
