"""Scripts whose first line keeps Python from its variables, and so from what instruments it.

pipx writes `-E` into the scripts of every program that it installs, so that a PYTHONPATH meant for
others does not reach them.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from .program import Program

_HARMLESS: Final = frozenset(
    {
        "PYTHONDONTWRITEBYTECODE",
        "PYTHONFAULTHANDLER",
        "PYTHONHASHSEED",
        "PYTHONPYCACHEPREFIX",
        "PYTHONUNBUFFERED",
    }
)
"""Variables that change nothing of what a program does. Containers often set them."""


def opened(
    program: Program, executable: str, arguments: Sequence[str], environment: Mapping[str, str]
) -> list[str] | None:
    """Return the command that runs such a script without its `-E`.

    Args:
        program: What is known of the script.
        executable: Where it is.
        arguments: Those that it is given.
        environment: The variables as the user has them.

    Returns:
        None if it has no `-E`, or there are variables that it would then obey.
    """
    if program.interpreter is None or not _is_isolated(program, executable):
        return None
    if any(name.startswith("PYTHON") and name not in _HARMLESS for name in environment):
        return None
    options = [option.replace("E", "") for option in program.options]
    kept = [option for option in options if option != "-"]
    return [program.interpreter, *kept, executable, *arguments]


def advice(program: Program, executable: str) -> str:
    """Return how a script that is left as it is would be seen all the same; empty for others."""
    if not _is_isolated(program, executable):
        return ""
    return f"; where it may heed your PYTHON* variables: `-- {program.interpreter} {executable}`"


def _is_isolated(program: Program, executable: str) -> bool:
    return executable != program.interpreter and program.is_isolated
