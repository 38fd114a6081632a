"""Loading OpenTelemetry and relayscope into a process that is meant: `loader/sitecustomize.py`."""

import os
import re
import sys
from importlib import import_module
from typing import Final

from .hooks.pipes.command_name import program_of
from .launch.python_path import TRACED
from .runtime.stderr import say

_OLDEST: Final = {
    "opentelemetry-sdk": ("opentelemetry.sdk.version", "1.45"),
    "opentelemetry-api": ("opentelemetry.version", "1.45"),
    "opentelemetry-instrumentation": ("opentelemetry.instrumentation.version", "0.66b0"),
}
"""Modules with the versions of packages, and the oldest with all that is used of them, as
`pyproject.toml` requires them."""

_SERVICE_NAME: Final = "OTEL_SERVICE_NAME"


def load(command: str) -> None:
    """Trace this process.

    Args:
        command: A number that stands for what it runs.
    """
    os.environ[TRACED] = f"{os.getpid()} {command} {os.environ.get(_SERVICE_NAME, '')}"
    unfit = _unfit()
    if unfit is not None:
        what, requirement = unfit
        say(f"{what}: nothing is seen of this program; install '{requirement}'")
        return
    try:
        # Imported here: what is too old may not have it.
        # It takes a thread. Imported within `initialize`, what it lacks is told in a hundred lines.
        import opentelemetry.sdk._logs  # noqa: F401, PLC0415  # see above
        from opentelemetry.instrumentation.auto_instrumentation import (  # noqa: PLC0415
            initialize,
        )
    except Exception as error:  # noqa: BLE001  # no thread, descriptor or memory is left, say
        what = str(error) or type(error).__name__
        say(f"nothing is seen of this program: {what}; look at its limits (ulimit -a)")
        return
    initialize()


def load_child(command: str, its_name: str) -> None:
    """Trace this process, a child that was given what another is traced with, and its name.

    Args:
        command: A number that stands for what it runs.
        its_name: The other's, of which this is none.
    """
    if os.environ.get(_SERVICE_NAME, "") == its_name:
        os.environ[_SERVICE_NAME] = program_of(sys.orig_argv)
    load(command)


def _unfit() -> tuple[str, str] | None:
    """Say what is wrong with the OpenTelemetry here, if anything is, and what would be right."""
    for name, (module, oldest) in _OLDEST.items():
        requirement = f"{name}>={oldest}"
        try:
            found = import_module(module).__version__
        except ImportError:
            return f"{name} is missing", requirement
        if _numbers(found) < _numbers(oldest):
            return f"{name} {found} is too old", requirement
    return None


def _numbers(version: str) -> list[int]:
    return [*map(int, re.findall(r"\d+", version)[:2])]
